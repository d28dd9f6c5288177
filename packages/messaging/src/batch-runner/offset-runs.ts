/** Ascending offsets as runs: `[gap, length, gap, length, …]`. A gap is what is skipped since the last run; for the first run, since `first`. Pure. */

export function runsOf(offsets: readonly number[], first: number): number[] {
  const runs: number[] = [];
  let end = first; // one past the last run
  for (const offset of offsets) {
    if (offset === end && runs.length > 0) runs[runs.length - 1]! += 1;
    else runs.push(offset - end, 1);
    end = offset + 1;
  }
  return runs;
}

/**
 * More than a batch has records (`POSTRIDER_RECORD_BATCH_RECORDS` is at most 100,000). Runs of more offsets are damaged: their range
 * alone does not bound them, because it comes from the same text. An intent of many ranges may hold so many for each of them.
 */
const MOST_OFFSETS = 1 << 17;

/** The offsets of runs; null if they are not runs, or leave the range, or are too many. */
export function offsetsOfRuns(
  runs: unknown,
  first: number,
  last: number,
): number[] | null {
  if (!Array.isArray(runs) || runs.length % 2 !== 0) return null;
  const offsets: number[] = [];
  let next = first;
  for (let i = 0; i < runs.length; i += 2) {
    const [gap, length]: unknown[] = [runs[i], runs[i + 1]];
    if (!isOffset(gap) || !isOffset(length)) return null;
    next += gap;
    // Check before the loop: a damaged length must not fill the memory.
    if (length === 0 || next + length - 1 > last) return null;
    if (offsets.length + length > MOST_OFFSETS) return null;
    for (let n = 0; n < length; n++) offsets.push(next++);
  }
  return offsets;
}

export function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
