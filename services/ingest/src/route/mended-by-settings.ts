import type { Problem } from "@postrider/core";

/**
 * What the publisher of an event is told that was not accepted, where a change that is not the event's own would make it
 * acceptable. Under its old id it may be lost: after a restart or a rebalance route judges the old record by the settings and
 * endpoints of then, takes it for accepted, and takes the event that comes again for its duplicate.
 */
export const UNDER_A_NEW_ID =
  "once that has changed, publish it again under a new id";

/** The rules that the operator's settings or keys decide, each after its field. */
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
  return DECIDED_BY_SETTINGS.has(`${field} ${rule}`);
}
