/** The commit metadata in which the batch runner announces a range before it inserts it. Pure. */
import type { EpochMs } from "@postrider/core";

/** A range of one partition that may be, in part or in whole, in the table: whoever owns the partition must insert exactly it again. */
export interface Intent {
  /** Offset of the first record of the range. */
  readonly first: number;
  /** Offset of the last one. */
  readonly last: number;
  /** The first record's timestamp: part of the token, so that a topic made anew, whose offsets begin again, is not taken for the old one. */
  readonly firstTimestamp: EpochMs;
  /** When it was announced: the `deadAt` of what it refuses, so that a dead letter repeated after a crash equals its twin. */
  readonly intendedAt: EpochMs;
  /** Offsets within the range that are refused, ascending: they make dead letters, not rows. */
  readonly excluded: readonly number[];
}

/** Kafka keeps at most 4,096 characters of metadata; a batch ends before its intent is longer than this. */
export const MAX_INTENT_LENGTH = 3_500;

const VERSION = 1;

/**
 * JSON, so that an operator can read it from the group: `{"intent":1,"first":…,"last":…,"firstTimestamp":…,"intendedAt":…,"excluded":[gap,length,…]}`.
 * `excluded` alternates how many offsets are skipped since the last run (since `first` at the beginning) and how long the run is.
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

/** What metadata says: no intent, an intent, or text that this version cannot read. Never throws. */
export type StoredIntent =
  | { readonly kind: "none" }
  | { readonly kind: "intent"; readonly intent: Intent }
  | { readonly kind: "unreadable"; readonly text: string };

/** Reads what `encodeIntent` wrote; empty metadata, as admin tools leave it, is no intent. */
export function decodeIntent(metadata: string): StoredIntent {
  if (metadata === "") return { kind: "none" };
  const intent = parse(metadata);
  return intent === null
    ? { kind: "unreadable", text: metadata }
    : { kind: "intent", intent };
}

/** The deduplication token of a range: one table, one log, one range. The same range always has the same token, by any process. */
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
    fields = value as Record<string, unknown>; // an object, whose fields are each checked below
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
    // Checked before the loop below: a damaged length must not fill the memory.
    if (length === 0 || next + length - 1 > last) return null;
    for (let n = 0; n < length; n++) offsets.push(next++);
  }
  return offsets;
}

function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
