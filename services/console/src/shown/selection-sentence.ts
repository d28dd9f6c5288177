import type { Replay } from "../api/answers-replays.ts";
import { utcTime } from "./shown-time.ts";

/** What a replay selects. */
export function selectionSentence(
  replay: Pick<Replay, "kind" | "tenantId" | "selection">,
): string {
  const { kind, tenantId, selection } = replay;
  const { deliveryIds, sql, endpointId, eventTypes, reasons } = selection;
  const { statusCode, receivedSince, receivedUntil } = selection;
  const received = during(receivedSince, receivedUntil);
  const { deadSince = null, deadUntil = null } = selection as Partial<
    Replay["selection"]
  >; // an older control does not have them
  const given = during(deadSince, deadUntil);
  const parts = [
    kind === "backfill"
      ? "Recorded events that the endpoint has no delivery of"
      : `${headOf(selection.statuses)}${given === false ? "" : ` ${given}`}`,
    deliveryIds.length > 0 && `named one by one (${deliveryIds.length})`,
    sql !== null && "whose ids a SELECT returns",
    tenantId !== null && `of the tenant ${tenantId}`,
    endpointId !== null && `to the endpoint ${endpointId}`,
    eventTypes.length > 0 && `of events of type ${oneOf(eventTypes)}`,
    reasons.length > 0 &&
      `for the reason ${oneOf(reasons.map((each) => each.replaceAll("_", " ")))}`,
    statusCode !== null && `last answered with ${statusCode}`,
    received !== false && `of events received ${received}`,
  ];
  return `${parts.filter((part) => part !== false).join(", ")}.`;
}

function headOf(statuses: readonly string[]): string {
  const hasDelivered = statuses.includes("delivered");
  if (!statuses.includes("expired") && hasDelivered)
    return "Deliveries that were delivered";
  return hasDelivered
    ? "Deliveries that were delivered or given up"
    : "Deliveries that were given up";
}

function during(since: string | null, until: string | null): string | false {
  const shown = (at: string): string => utcTime(Date.parse(at));
  if (since === null) return until !== null && `before ${shown(until)}`;
  const from = `from ${shown(since)}`;
  return until === null ? `${from} on` : `${from} to before ${shown(until)}`;
}

/** `a, b or c` */
function oneOf(words: readonly string[]): string {
  return words.length < 2
    ? words.join("")
    : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`;
}
