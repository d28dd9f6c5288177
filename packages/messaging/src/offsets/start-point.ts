/** Where the reading of a newly assigned partition begins, computed from the stored commit and the log's range. Pure. */
import type { CommittedOffset, LogRange } from "../ports.ts";
import { decodeOffsetMetadata } from "./offset-metadata.ts";

export interface StartPoint {
  /** The first offset to read: `base` minus the warm-up. */
  readonly seekTo: number;
  /** Every offset below it is done. */
  readonly base: number;
  /** Every offset in [base, next) that is not in an open run is done. */
  readonly next: number;
  /** Flat: start, length, … */
  readonly openRuns: readonly number[];
  /** How many offsets can never be read, because the log no longer has them. Normally 0. */
  readonly lost: number;
  readonly kind:
    | "as_committed"
    | "no_commit"
    | "foreign_metadata"
    | "below_log"
    | "above_log";
}

/** Computes the start point. `warmUpRecords` is 0 if the stage remembers nothing. */
export function startPoint(
  committed: CommittedOffset,
  log: LogRange,
  warmUpRecords: number,
): StartPoint {
  const { offset, metadata } = committed;
  const at = (base: number) => ({
    seekTo: Math.max(log.start, base - warmUpRecords),
    base,
    next: base,
    openRuns: [],
    lost: 0,
  });
  if (offset === null) return { ...at(log.start), kind: "no_commit" };
  // The log ends before our offset: it was cut, and the records that were there are gone. Go on at its end; reading from its start would repeat everything.
  if (offset > log.end)
    return { ...at(log.end), lost: offset - log.end, kind: "above_log" };
  const stored = decodeOffsetMetadata(metadata, offset);
  if (stored === null) {
    const lost = Math.max(0, log.start - offset);
    if (lost > 0) return { ...at(log.start), lost, kind: "below_log" };
    return {
      ...at(offset),
      kind: metadata === "" ? "as_committed" : "foreign_metadata",
    };
  }
  // Offsets at or above the log's end belong to records that were cut off. New records will get the same offsets.
  const next = Math.min(stored.next, log.end);
  const { runs, lost: lostOpen } = within(stored.runs, log.start, next);
  const lost = lostOpen + Math.max(0, log.start - stored.next);
  const base = runs[0] ?? Math.max(next, log.start);
  const isCut = stored.next > log.end;
  return {
    ...at(base),
    next: Math.max(base, next),
    openRuns: runs,
    lost,
    kind: isCut ? "above_log" : lost > 0 ? "below_log" : "as_committed",
  };
}

/** The parts of the runs within [start, end), and how many open offsets lie below `start`. */
function within(
  runs: readonly number[],
  start: number,
  end: number,
): { runs: number[]; lost: number } {
  const kept: number[] = [];
  let lost = 0;
  for (let i = 0; i < runs.length; i += 2) {
    const from = runs[i]!;
    const to = from + runs[i + 1]!;
    lost += Math.max(0, Math.min(to, start) - from);
    const first = Math.max(from, start);
    const length = Math.min(to, end) - first;
    if (length > 0) kept.push(first, length);
  }
  return { runs: kept, lost };
}
