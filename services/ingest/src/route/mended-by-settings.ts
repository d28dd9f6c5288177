import type { Problem } from "@postrider/core";
import { isTypeRule } from "@postrider/event-types";

/**
 * Text for the publisher of an event that was not accepted, but could be after a change of settings, keys, event types or endpoints. Sent
 * again under its old id, the event may be lost: after a restart or a rebalance, route judges the old record by the changed
 * settings, counts it as accepted, and drops the repeat as its duplicate.
 */
export const UNDER_A_NEW_ID =
  "once that has changed, publish it again under a new id";

/** Rules whose result depends on the operator's settings or keys, as `field rule`. */
const DECIDED_BY_SETTINGS = new Set([
  "payload max_bytes",
  "destination not_allowed",
  "destination.url not_allowed",
  "destination.url scheme",
  "destination.url address",
  "destination.url local_name",
  "destination.sealedSecret sealed",
]);

/** Whether another setting could make a problem go away. */
export function isMendedBySettings({ field, rule }: Problem): boolean {
  return isTypeRule(rule) || DECIDED_BY_SETTINGS.has(`${field} ${rule}`);
}
