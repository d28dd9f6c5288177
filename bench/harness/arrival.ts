/** How the events of a load came to the sink. Pure. */
import { intendedMicros } from "./open-loop.ts";
import { percentile, rounded } from "./statistics.ts";

export interface Arrival {
  /** From the time for which an event was planned to the first byte of its request. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** The rate at which they came ÷ the rate at which they were meant to be sent, from the first hundredth of them to the last. */
  readonly rate: number;
  /** The share that had come `tailMs` after the load's end. */
  readonly delivered: number;
}

export interface Arrived {
  readonly perSecond: number;
  readonly tailMs: number;
  /** The time for which the first event was planned, monotonic µs. */
  readonly startedAt: number;
  /** When the `i`-th event came, µs; null where it does not count. */
  readonly seenAt: readonly (number | null)[];
}

/** Throws when an event came before its time. */
export function arrivalOf(arrived: Arrived): Arrival {
  const { perSecond, tailMs, startedAt, seenAt } = arrived;
  const planned: number[] = [];
  const seen: number[] = [];
  const ms: number[] = [];
  for (const [i, at] of seenAt.entries()) {
    if (at === null) continue;
    const plannedAt = intendedMicros(startedAt, perSecond, i);
    planned.push(plannedAt);
    seen.push(at);
    ms.push((at - plannedAt) / 1000);
  }
  if (ms.some((each) => !(each > 0)))
    throw new Error("an event came before it was meant to be sent");
  seen.sort((a, b) => a - b);
  const from = Math.floor(seen.length / 100);
  const to = seen.length - 1 - from;
  const end = intendedMicros(startedAt, perSecond, seenAt.length);
  const inTime = seen.filter((at) => at <= end + tailMs * 1000).length;
  return {
    p50Ms: rounded(percentile(ms, 50)),
    p99Ms: rounded(percentile(ms, 99)),
    rate: (planned[to]! - planned[from]!) / (seen[to]! - seen[from]!),
    delivered: inTime / seen.length,
  };
}
