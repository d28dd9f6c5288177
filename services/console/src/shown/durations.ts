/** Durations as people write them into a field, exact to the millisecond: `250ms`, `15s`, `5m`, `2h`, `7d`. */

const UNITS = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
  ["ms", 1],
] as const;

/** In the largest unit that divides it. */
export function exactDuration(ms: number): string {
  const [unit, length] = UNITS.find(([, each]) => ms % each === 0) ?? ["ms", 1];
  return ms === 0 ? "0s" : `${ms / length}${unit}`;
}

/** In milliseconds; null where it is none. A number alone is none: nobody could tell its unit. */
export function readDuration(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?) ?(d|h|min|m|s|ms)$/.exec(text.trim());
  if (match === null) return null;
  const [, amount, written] = match;
  const unit = written === "min" ? "m" : written;
  const [, length] = UNITS.find(([each]) => each === unit) ?? ["ms", 1];
  return Math.round(Number(amount) * length);
}
