/** The record that takes the place of a batch that cannot be read, and the range of a batch whose header may be broken. */
import type { RawRecord, UnreadableReason } from "../../record.ts";
import {
  AT,
  claimAt,
  endAt,
  int64,
  isChecksumRight,
  MAGIC,
  timeOf,
  type BatchClaim,
} from "./batch-header.ts";
import type { PartitionFetch } from "./fetched-records.ts";

/** The first byte and the byte after the last, and the first and last offset that are lost with the batch. */
export interface BatchRange {
  readonly start: number;
  readonly end: number;
  readonly first: number;
  readonly last: number;
}

export interface Fault {
  readonly reason: UnreadableReason;
  readonly why: string;
}

export function unreadableBatch(
  set: Buffer,
  { topic, partition, fetchOffset }: PartitionFetch,
  range: BatchRange,
  { reason, why }: Fault,
): RawRecord {
  const { start, end, last } = range;
  const first = Math.max(range.first, fetchOffset);
  const what = `offsets ${first} to ${last} (a batch of ${end - start} bytes)`;
  return {
    topic,
    partition,
    offset: first,
    timestamp: timeOf(set, start),
    key: null,
    // Copy the bytes: a view would keep the whole fetch in memory.
    value: Buffer.from(set.subarray(start, end)),
    headers: {},
    unreadable: {
      lastOffset: last,
      reason,
      detail: `${what} could not be read: ${why}`,
    },
  };
}

/**
 * The range of the broken batch that begins at `start`, the first batch at or above the fetch offset. Nothing in its header is
 * certain. If the batch behind it has a right checksum, the broken batch ends before that one's first offset. Otherwise its own last
 * offset is taken, limited by the log's end and by the offset that the batch behind it claims.
 */
export function brokenRange(
  set: Buffer,
  start: number,
  fetch: PartitionFetch,
): BatchRange {
  const { fetchOffset, highWatermark } = fetch;
  const end = endAt(set, start);
  let last = lastClaimedAt(set, start, end, fetch);
  const behind = end === null ? null : claimAt(set, end);
  if (behind !== null && behind.first > fetchOffset) {
    const before = behind.first - 1;
    last = isWhole(set, behind) ? before : Math.min(last, before);
  }
  return {
    start,
    end: end ?? set.length,
    first: fetchOffset,
    last: Math.max(fetchOffset, Math.min(last, highWatermark - 1)),
  };
}

function isWhole(set: Buffer, { start, end }: BatchClaim): boolean {
  return end <= set.length && isChecksumRight(set, start, end);
}

function lastClaimedAt(
  set: Buffer,
  start: number,
  end: number | null,
  { fetchOffset, highWatermark }: PartitionFetch,
): number {
  if (start + AT.records > (end ?? set.length)) return fetchOffset;
  // An entry of an old format has one offset and no last-offset delta. But the checksum does not cover the format's number: if the
  // checksum is right, only that number is wrong, and this is a batch of the new format.
  const isOld =
    set[start + AT.magic]! < MAGIC &&
    !(end !== null && isChecksumRight(set, start, end));
  const delta = isOld
    ? 0
    : Math.max(0, set.readInt32BE(start + AT.lastOffsetDelta));
  const last = int64(set, start) + delta;
  // The checksum does not cover the first offset either: ignore one that leads out of the log or below the fetch offset.
  const isWithin = last >= fetchOffset && last < highWatermark;
  return isWithin ? last : fetchOffset + delta;
}
