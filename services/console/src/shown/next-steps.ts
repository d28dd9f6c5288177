/** What can be done so that an event arrives: each step in a sentence, with its command. */
import type { Explanation, NextStep } from "../api/answers-event.ts";
import { quoted } from "./curl.ts";

export interface ShownStep {
  readonly what: string;
  /** Null: there is none, or this page does not know it. */
  readonly command: string | null;
}

export function stepOf(
  { action, endpointId, deliveryId }: NextStep,
  { id, tenantId, type, arrival }: Explanation,
): ShownStep {
  const endpoint = wordOf(endpointId ?? "ENDPOINT");
  const tenant = wordOf(tenantId ?? "TENANT");
  const wanted = wordOf(type === "" ? "TYPE" : type);
  const of = (what: string, command: string): ShownStep => ({
    what,
    command: `npx postrider ${command}`,
  });
  switch (action) {
    case "resume_endpoint":
      return of(
        "Resume its endpoint: it takes deliveries again, and what is parked is sent.",
        `endpoints resume ${endpoint}`,
      );
    case "enable_endpoint":
      return of(
        "Enable its endpoint, so that it takes deliveries again.",
        `endpoints enable ${endpoint}`,
      );
    case "fix_url":
      return of(
        "Correct the endpoint's URL, which cannot be reached as it is.",
        `endpoints update ${endpoint} --url URL`,
      );
    case "redrive_delivery":
      return of(
        "Send the delivery again, once its receiver is well.",
        `deliveries redrive ${wordOf(deliveryId ?? "DELIVERY")}`,
      );
    case "test_endpoint":
      return of("Send another test event.", `endpoints test ${endpoint}`);
    case "backfill_endpoint":
      return of(
        "Send this event to the endpoint after all, if its filter lets it through.",
        `replay backfill ${endpoint} --event-type ${wanted}${windowOf(arrival)}`,
      );
    case "try_filter":
      return of(
        "See what the endpoint's filter makes of the event. Once it is mended, a backfill sends the event.",
        `endpoints match ${endpoint} --event ${wordOf(id)}`,
      );
    case "change_event_types":
      return of(
        "Let an endpoint want this type. Then a backfill sends it the event.",
        `endpoints update ${endpoint} --types TYPE,${wanted}`,
      );
    case "create_endpoint":
      return of(
        "Create an endpoint that wants this type. Then a backfill sends it the event.",
        `endpoints create --tenant ${tenant} --url URL --types ${wanted}`,
      );
    case "publish_again":
      return of(
        "Publish it again, as it should be.",
        `publish --tenant ${tenant} --type ${wanted} --payload JSON`,
      );
    case "look_at_services":
      return of("Look at the services: one is behind or down.", "status");
    default:
      return { what: `${action.replaceAll("_", " ")}.`, command: null };
  }
}

/** The millisecond in which the event came in. */
function windowOf(arrival: Explanation["arrival"]): string {
  if (arrival === null) return " --since TIME";
  const { receivedAt } = arrival;
  const until = new Date(Date.parse(receivedAt) + 1).toISOString();
  return ` --since ${receivedAt} --until ${until}`;
}

/** As one word of a shell. */
function wordOf(text: string): string {
  return /^[\w.:@%+=,/-]+$/.test(text) ? text : quoted(text);
}
