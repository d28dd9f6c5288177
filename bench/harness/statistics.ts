/** The arithmetic of a claim: pairs, medians, percentiles. Pure. */

/** The middle value; of an even number, the mean of the middle two. Throws on none. */
export function median(values: readonly number[]): number {
  const sorted = ascending(values);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle]!;
  return sorted.length % 2 === 1 ? upper : (sorted[middle - 1]! + upper) / 2;
}

/** The smallest value that at least `percent` % of the values do not exceed (nearest rank). `percent` in (0, 100]. Throws on none. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = ascending(values);
  const rank = Math.ceil((percent / 100) * sorted.length);
  return sorted[Math.min(Math.max(rank, 1), sorted.length) - 1]!;
}

/** The results of one run of baseline and subject, in the unit that is compared. */
export interface Pair {
  readonly baseline: number;
  readonly subject: number;
}

export interface Comparison {
  /** The median of subject ÷ baseline over the pairs that count. */
  readonly ratio: number;
  /** The smallest and the largest ratio. */
  readonly spread: readonly [min: number, max: number];
  /** How many pairs counted. */
  readonly pairs: number;
}

/** Drops the first pair, which warms the machine up, and compares within each other pair, so that a drift of the machine affects both sides. Throws on fewer than two. */
export function compare(pairs: readonly Pair[]): Comparison {
  const counted = withoutFirst(pairs);
  const ratios = counted.map(({ baseline, subject }) => subject / baseline);
  return {
    ratio: median(ratios),
    spread: [Math.min(...ratios), Math.max(...ratios)],
    pairs: counted.length,
  };
}

/** All but the first. Throws when nothing is left. */
export function withoutFirst<T>(runs: readonly T[]): readonly T[] {
  const rest = runs.slice(1);
  if (rest.length === 0) throw new RangeError("no runs but the first");
  return rest;
}

/** Rounds to four significant digits: two noisy cores do not support more. */
export function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

function ascending(values: readonly number[]): readonly number[] {
  if (values.length === 0) throw new RangeError("no values");
  return [...values].sort((a, b) => a - b);
}
