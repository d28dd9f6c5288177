/** How fast a replay is, from its successive answers. */

/** How many it had looked at, at a time in milliseconds. */
export interface Reading {
  readonly at: number;
  readonly done: number;
}

/** Long enough that a page of a replay's work does not look like a standstill. */
const OVER_MS = 30_000;

/** The readings that count, with a new one. One without progress is kept, too: it says how slow it is. */
export function withReading(
  readings: readonly Reading[],
  reading: Reading,
): readonly Reading[] {
  const last = readings.at(-1);
  if (last !== undefined && reading.at <= last.at) return readings;
  return [...readings.filter(({ at }) => at > reading.at - OVER_MS), reading];
}

/** Deliveries a second; null where that cannot be told yet. */
export function paceOf(readings: readonly Reading[]): number | null {
  const [first] = readings;
  const last = readings.at(-1);
  if (first === undefined || last === undefined || last.at === first.at)
    return null;
  return ((last.done - first.done) * 1_000) / (last.at - first.at);
}

/** How long the rest takes at this pace, in milliseconds; null where nothing goes on. */
export function msLeft(rest: number, perSecond: number | null): number | null {
  if (perSecond === null || perSecond <= 0) return null;
  return Math.ceil(rest / perSecond) * 1_000;
}
