import type { Endpoint } from "./records.ts";
import { matchesType } from "./type-pattern.ts";

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

/** Which of one tenant's endpoints get an event of a type. */
export function fanOut(type: string, endpoints: Iterable<Endpoint>): FanOut {
  const sent: Endpoint[] = [];
  const pausedIds: string[] = [];
  const disabledIds: string[] = [];
  let noMatchCount = 0;
  for (const endpoint of endpoints) {
    if (!endpoint.eventTypes.some((pattern) => matchesType(pattern, type)))
      noMatchCount += 1;
    else if (endpoint.state === "disabled") disabledIds.push(endpoint.id);
    else {
      sent.push(endpoint);
      if (endpoint.state === "paused") pausedIds.push(endpoint.id);
    }
  }
  return { sent, pausedIds, disabledIds, noMatchCount };
}
