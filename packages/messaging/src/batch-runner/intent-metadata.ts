/** The commit metadata in which the batch runner announces a range before it inserts it. Pure. */
import type { EpochMs } from "@postrider/core";
import type { RawRecord } from "../record.ts";

/** A range of one partition whose rows may be in the table, all or some. The next owner of the partition must insert exactly this range again. */
export interface Intent {
  /** Offset of the first record of the range. */
  readonly first: number;
  /** Offset of the last one. */
  readonly last: number;
  /**
   * The first record's timestamp. It is part of the token: if the topic is made anew, its offsets begin again at 0, and must
   * not get the tokens of the old topic. If the first record could not be read, it is the latest time in the record's batch,
   * or 0 if that is not known.
   */
  readonly firstTimestamp: EpochMs;
  /** When the range was announced. It is the `deadAt` of the range's dead letters, so that one that is produced again after a crash equals the first. */
  readonly intendedAt: EpochMs;
  /** Offsets within the range that are refused, ascending: their records become dead letters, not rows. */
  readonly excluded: readonly number[];
}

const VERSION = 1;

/**
 * Encodes the intent as JSON, so that an operator can read it in the group: `{"intent":1,"first":…,"last":…,"firstTimestamp":…,"intendedAt":…,"excluded":[gap,length,…]}`.
 * `excluded` alternates a gap (the offsets skipped since the last run; for the first run, since `first`) and the run's length.
 * It fits into the 4,096 characters that Kafka stores, because a batch ends before too many runs are refused (`MAX_REFUSED_RUNS`).
 */
export function encodeIntent(intent: Intent): string {
  return JSON.stringify({
    intent: VERSION,
    first: intent.first,
    last: intent.last,
    firstTimestamp: intent.firstTimestamp,
    intendedAt: intent.intendedAt,
    excluded: runsOf(intent.excluded, intent.first),
  });
}

/** What metadata holds: no intent, an intent, or text that this version cannot read. */
export type StoredIntent =
  | { readonly kind: "none" }
  | { readonly kind: "intent"; readonly intent: Intent }
  | { readonly kind: "unreadable"; readonly text: string };

/** Reads what `encodeIntent` wrote. Empty metadata, as admin tools leave it, is no intent. Never throws. */
export function decodeIntent(metadata: string): StoredIntent {
  if (metadata === "") return { kind: "none" };
  const intent = parse(metadata);
  return intent === null
    ? { kind: "unreadable", text: metadata }
    : { kind: "intent", intent };
}

/** The deduplication token of a range. It is the same in every process for the same table, log and range. */
export function tokenOf(
  table: string,
  source: { readonly topic: string; readonly partition: number },
  intent: Intent,
): string {
  return [
    table,
    source.topic,
    source.partition,
    intent.first,
    intent.last,
    intent.firstTimestamp,
  ].join("-");
}

/**
 * Whether the log's first record of the range shows that the topic was made anew since the range was announced. What the
 * intent excludes may have been a whole batch that could not be read, and can be read now: its first record is not later
 * than the batch, and a log made anew is.
 */
export function isOfAnotherLog(
  { first, firstTimestamp, excluded }: Intent,
  { offset, timestamp, unreadable }: RawRecord,
): boolean {
  if (offset !== first || unreadable !== undefined) return false;
  if (excluded[0] !== first) return timestamp !== firstTimestamp;
  return firstTimestamp > 0 && timestamp > firstTimestamp;
}

function runsOf(offsets: readonly number[], first: number): number[] {
  const runs: number[] = [];
  let end = first; // one past the last run
  for (const offset of offsets) {
    if (offset === end && runs.length > 0) runs[runs.length - 1]! += 1;
    else runs.push(offset - end, 1);
    end = offset + 1;
  }
  return runs;
}

function parse(text: string): Intent | null {
  let fields: Record<string, unknown>;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return null;
    fields = value as Record<string, unknown>; // it is an object; each field is checked below
  } catch {
    return null;
  }
  const { first, last, firstTimestamp, intendedAt } = fields;
  if (fields["intent"] !== VERSION) return null;
  if (!isOffset(first) || !isOffset(last) || last < first) return null;
  if (!Number.isSafeInteger(firstTimestamp)) return null;
  if (!Number.isSafeInteger(intendedAt)) return null;
  const excluded = offsetsOf(fields["excluded"], first, last);
  if (excluded === null) return null;
  return {
    first,
    last,
    firstTimestamp: firstTimestamp as number,
    intendedAt: intendedAt as number,
    excluded,
  };
}

function offsetsOf(
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
    for (let n = 0; n < length; n++) offsets.push(next++);
  }
  return offsets;
}

function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
