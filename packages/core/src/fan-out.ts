import type { Endpoint } from "./records.ts";

/** Who gets an event, and who does not. */
export interface FanOut {
  /** Matched and not disabled: they get a delivery, the paused ones too. */
  readonly sent: readonly Endpoint[];
  /** Those of `sent` that are paused; deliver parks theirs. */
  readonly pausedIds: readonly string[];
  /** Matched, but disabled. */
  readonly disabledIds: readonly string[];
  /** How many of the tenant's endpoints did not want the type. */
  readonly noMatchCount: number;
}

/**
 * Who gets an event, of the endpoints that want its type. `tenantEndpoints` is how many the tenant has in all: those that
 * do not want the type are counted, and never looked at one by one.
 */
export function fanOut(
  wanting: Iterable<Endpoint>,
  tenantEndpoints: number,
): FanOut {
  const sent: Endpoint[] = [];
  const pausedIds: string[] = [];
  const disabledIds: string[] = [];
  for (const endpoint of wanting) {
    if (endpoint.state === "disabled") {
      disabledIds.push(endpoint.id);
      continue;
    }
    sent.push(endpoint);
    if (endpoint.state === "paused") pausedIds.push(endpoint.id);
  }
  const noMatchCount = tenantEndpoints - sent.length - disabledIds.length;
  return { sent, pausedIds, disabledIds, noMatchCount };
}
