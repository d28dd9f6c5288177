import type { Endpoint } from "./records.ts";

/** Who gets an event, and who does not. */
export interface FanOut {
  /** Matched and not disabled. They get a delivery, the paused endpoints too. Where there are filters, in the order of their ids. */
  readonly sent: readonly Endpoint[];
  /** Those of `sent` that are paused: deliver parks their deliveries. */
  readonly pausedIds: readonly string[];
  /** Matched, but disabled. */
  readonly disabledIds: readonly string[];
  /** How many of the tenant's endpoints did not want the type. */
  readonly noMatchCount: number;
  /** Whether one of `sent` has a filter, which is not asked here. */
  readonly hasFilters: boolean;
}

/**
 * Decides who gets an event. `wanting` are the endpoints whose patterns match the event's type; `tenantEndpoints` is how
 * many endpoints the tenant has in all. Endpoints that do not match are only counted, never looked at one by one.
 */
export function fanOut(
  wanting: Iterable<Endpoint>,
  tenantEndpoints: number,
): FanOut {
  const sent: Endpoint[] = [];
  const pausedIds: string[] = [];
  const disabledIds: string[] = [];
  let hasFilters = false;
  for (const endpoint of wanting) {
    if (endpoint.state === "disabled") {
      disabledIds.push(endpoint.id);
      continue;
    }
    sent.push(endpoint);
    if (endpoint.filter !== null) hasFilters = true;
    if (endpoint.state === "paused") pausedIds.push(endpoint.id);
  }
  // Filters share a bound, so who is reached by it must not depend on the order in which the table was read.
  if (hasFilters) sent.sort(byId);
  const noMatchCount = tenantEndpoints - sent.length - disabledIds.length;
  return { sent, pausedIds, disabledIds, noMatchCount, hasFilters };
}

function byId(one: Endpoint, other: Endpoint): number {
  return one.id < other.id ? -1 : 1;
}
