import type { Explanation, NextStep } from "./explanation.ts";

/** The commands that carry out the steps, each with what it is for. */
export function nextCommands(explanation: Explanation): readonly string[] {
  return explanation.next.map((step) => commandOf(step, explanation));
}

function commandOf(
  { action, endpointId, deliveryId }: NextStep,
  { id, tenantId, type, arrival }: Explanation,
): string {
  const endpoint = endpointId ?? "ENDPOINT";
  const tenant = tenantId ?? "TENANT";
  switch (action) {
    case "resume_endpoint":
      return `npx postrider endpoints resume ${endpoint}   (deliver to it again, and send what is parked)`;
    case "enable_endpoint":
      return `npx postrider endpoints enable ${endpoint}   (deliver to it again)`;
    case "fix_url":
      return `npx postrider endpoints update ${endpoint} --url URL   (its URL cannot be reached as it is; npx postrider doctor address URL judges one)`;
    case "redrive_delivery":
      return `npx postrider deliveries redrive ${deliveryId}   (send it again)`;
    case "test_endpoint":
      return `npx postrider endpoints test ${endpoint}   (send another test)`;
    case "backfill_endpoint":
      return `npx postrider replay backfill ${endpoint} --event-type ${type}${windowOf(arrival)}   (send it this event, if its filter lets it through)`;
    case "try_filter":
      return `npx postrider endpoints match ${endpoint} --event ${id}   (what its filter makes of it; once that is mended, replay backfill sends it this event)`;
    case "change_event_types":
      return `npx postrider endpoints update ${endpoint} --types TYPE,${type}   (all that it is to get; then replay backfill sends it this event)`;
    case "create_endpoint":
      return `npx postrider endpoints create --tenant ${tenant} --url URL --types ${type === "" ? "TYPE" : type}   (then replay backfill sends it this event)`;
    case "publish_again":
      return `npx postrider publish --tenant ${tenant} --type ${type === "" ? "TYPE" : type}   (publish it again, as it should be)`;
    case "look_at_services":
      return "npx postrider status   (a service is behind or down; elsewhere than beside dev: /readyz of each)";
    default: // of a later version
      return action;
  }
}

/** The millisecond in which the event came in. */
function windowOf(arrival: Explanation["arrival"]): string {
  if (arrival === null) return " --since TIME";
  const { receivedAt } = arrival;
  const until = new Date(Date.parse(receivedAt) + 1).toISOString();
  return ` --since ${receivedAt} --until ${until}`;
}
