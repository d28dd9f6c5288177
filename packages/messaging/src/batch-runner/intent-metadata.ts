/** The commit metadata in which the batch runner announces a batch before it inserts it, and the token of that batch. Pure. */
import { hash } from "node:crypto";
import type { EpochMs } from "@postrider/core";
import type { RawRecord } from "../record.ts";
import { isOffset, offsetsOfRuns, runsOf } from "./offset-runs.ts";

/** A range of one partition. */
export interface IntentRange {
  readonly partition: number;
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
  /** Offsets within the range that are refused, ascending: their records become dead letters, not rows. */
  readonly excluded: readonly number[];
}

/** A batch whose rows may be in the table, all or some. Who gets one of its partitions next must insert exactly this batch again. */
export interface Intent {
  /** When the batch was announced. It is the `deadAt` of the batch's dead letters, so that one that is produced again after a crash equals the first. */
  readonly intendedAt: EpochMs;
  /** At least one; ascending by partition. */
  readonly ranges: readonly IntentRange[];
}

/** So many characters of metadata Kafka stores by default (`offset.metadata.max.bytes`). */
export const STORED_CHARACTERS = 4_096;
/** A batch ends before its intent is longer than this. The rest is for the braces and `intendedAt`. */
export const MAX_INTENT_CHARACTERS = 3_800;

/** The form for one partition, which older versions read, too. */
const ONE = 1;
/** The form for several. */
const SEVERAL = 2;

/**
 * Encodes the intent as JSON, so that an operator can read it in the group. Of one partition:
 * `{"intent":1,"first":…,"last":…,"firstTimestamp":…,"intendedAt":…,"excluded":[gap,length,…]}`. `excluded` alternates a gap (the
 * offsets skipped since the last run; for the first run, since `first`) and the run's length. Of several:
 * `{"intent":2,"intendedAt":…,"ranges":[[partition,first,length,firstTimestamp-intendedAt,gap,length,…],…]}`.
 */
export function encodeIntent({ intendedAt, ranges }: Intent): string {
  const only = ranges[0]!; // an intent has at least one range
  if (ranges.length > 1) {
    const several = ranges.map((range) => numbersOf(range, intendedAt));
    return JSON.stringify({ intent: SEVERAL, intendedAt, ranges: several });
  }
  return JSON.stringify({
    intent: ONE,
    first: only.first,
    last: only.last,
    firstTimestamp: only.firstTimestamp,
    intendedAt,
    excluded: runsOf(only.excluded, only.first),
  });
}

/** How many characters a range takes of an intent of several partitions. */
export function charactersOf(range: IntentRange, intendedAt: EpochMs): number {
  return JSON.stringify(numbersOf(range, intendedAt)).length + 1; // a comma
}

/** What metadata holds: no intent, an intent, or text that this version cannot read. */
export type StoredIntent =
  | { readonly kind: "none" }
  | { readonly kind: "intent"; readonly intent: Intent }
  | { readonly kind: "unreadable"; readonly text: string };

/** Reads what `encodeIntent` wrote into the commit of `partition`. Empty metadata, as admin tools leave it, is no intent. Never throws. */
export function decodeIntent(
  metadata: string,
  partition: number,
): StoredIntent {
  if (metadata === "") return { kind: "none" };
  const intent = parse(metadata, partition);
  return intent === null
    ? { kind: "unreadable", text: metadata }
    : { kind: "intent", intent };
}

/** The range of a partition; undefined if the intent does not name the partition. */
export function rangeIn(
  intent: Intent,
  partition: number,
): IntentRange | undefined {
  return intent.ranges.find((range) => range.partition === partition);
}

/** The deduplication token of a batch. It is the same in every process for the same table, log and ranges. */
export function tokenOf(table: string, topic: string, intent: Intent): string {
  const ranges = intent.ranges.map(
    ({ partition, first, last, firstTimestamp }) =>
      `${partition}-${first}-${last}-${firstTimestamp}`,
  );
  // A token travels in the URL, so many ranges become a hash.
  const name =
    ranges.length === 1
      ? ranges[0]
      : hash("sha256", ranges.join(), "base64url");
  return `${table}-${topic}-${name}`;
}

/**
 * Whether the log's first record of the range shows that the topic was made anew since the range was announced. What the
 * intent excludes may have been a whole batch that could not be read, and can be read now: its first record is not later
 * than the batch, and a log made anew is.
 */
export function isOfAnotherLog(
  { first, firstTimestamp, excluded }: IntentRange,
  { offset, timestamp, unreadable }: RawRecord,
): boolean {
  if (offset !== first || unreadable !== undefined) return false;
  if (excluded[0] !== first) return timestamp !== firstTimestamp;
  return firstTimestamp > 0 && timestamp > firstTimestamp;
}

function numbersOf(range: IntentRange, intendedAt: EpochMs): number[] {
  const { partition, first, last, firstTimestamp, excluded } = range;
  const runs = runsOf(excluded, first);
  return [
    partition,
    first,
    last - first + 1,
    firstTimestamp - intendedAt,
    ...runs,
  ];
}

function parse(text: string, partition: number): Intent | null {
  let fields: Record<string, unknown>;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return null;
    fields = value as Record<string, unknown>; // it is an object; each field is checked below
  } catch {
    return null;
  }
  const { intent, intendedAt, first, last, firstTimestamp } = fields;
  if (!isInteger(intendedAt)) return null;
  if (intent === SEVERAL) return several(fields["ranges"], intendedAt);
  if (intent !== ONE || !isOffset(last)) return null;
  const range = rangeOf({
    partition,
    first,
    last,
    firstTimestamp,
    runs: fields["excluded"],
  });
  return range === null ? null : { intendedAt, ranges: [range] };
}

function several(list: unknown, intendedAt: number): Intent | null {
  if (!Array.isArray(list) || list.length < 2) return null;
  const ranges: IntentRange[] = [];
  for (const each of list as unknown[]) {
    if (!Array.isArray(each)) return null;
    const [partition, first, length, sooner, ...runs] = each as unknown[];
    if (!isInteger(first) || !isInteger(length) || !isInteger(sooner))
      return null;
    const range = rangeOf({
      partition,
      first,
      last: first + length - 1,
      firstTimestamp: intendedAt + sooner,
      runs,
    });
    const before = ranges.at(-1)?.partition ?? -1;
    if (range === null || range.partition <= before) return null;
    ranges.push(range);
  }
  return { intendedAt, ranges };
}

function rangeOf(
  given: Readonly<
    Record<"partition" | "first" | "last" | "firstTimestamp" | "runs", unknown>
  >,
): IntentRange | null {
  const { partition, first, last, firstTimestamp, runs } = given;
  if (!isOffset(partition) || !isInteger(firstTimestamp)) return null;
  if (!isOffset(first) || !isOffset(last) || last < first) return null;
  const excluded = offsetsOfRuns(runs, first, last);
  return excluded === null
    ? null
    : { partition, first, last, firstTimestamp, excluded };
}

function isInteger(value: unknown): value is number {
  return Number.isSafeInteger(value);
}
