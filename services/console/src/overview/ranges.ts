const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How far back the overview looks. `range` is what the API takes as `since`. */
export const RANGES = [
  { range: "15m", name: "15 minutes", ms: 15 * MINUTE },
  { range: "1h", name: "1 hour", ms: HOUR },
  { range: "6h", name: "6 hours", ms: 6 * HOUR },
  { range: "24h", name: "24 hours", ms: DAY },
  { range: "7d", name: "7 days", ms: 7 * DAY },
  { range: "30d", name: "30 days", ms: 30 * DAY },
] as const;
export type Range = (typeof RANGES)[number];

export interface OverviewSearch {
  readonly range?: string;
}

/** Parses what is in the URL. What is no range is dropped. */
export function overviewSearch(
  given: Readonly<Record<string, unknown>>,
): OverviewSearch {
  const found = RANGES.find(({ range }) => range === given["range"]);
  return found === undefined ? {} : { range: found.range };
}

/** An hour, where the URL has none. */
export function rangeOf({ range }: OverviewSearch): Range {
  return RANGES.find((each) => each.range === range) ?? RANGES[1];
}

/** Dead letters are kept for so long, so of more there is nothing to compare with. */
const KEPT_MS = 30 * DAY;

/** The time of the same length before; null where nothing is kept of it. */
export function before({
  range,
  ms,
}: Range): { readonly since: string; readonly until: string } | null {
  return 2 * ms > KEPT_MS
    ? null
    : { since: `${(2 * ms) / MINUTE}m`, until: range };
}
