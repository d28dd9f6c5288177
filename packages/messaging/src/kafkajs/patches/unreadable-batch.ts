/** What stands in the place of a batch that cannot be read, and how far a batch goes whose header may be what is broken. */
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

/** From which byte to which, and the first and last offset that are lost with it. */
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
    // Its own bytes: a dead letter outlives the fetch.
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
 * How far the broken batch goes that begins at `start`, the first one that is for us. Nothing of its header is certain. A
 * batch behind it, if that is whole, knows best where it ends; else its own last offset is believed, within the log.
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
  // An entry of the old formats has its offset and no more. The format's number lies outside of the checksum: where that
  // is right all the same, only the number is wrong.
  const isOld =
    set[start + AT.magic]! < MAGIC &&
    !(end !== null && isChecksumRight(set, start, end));
  const delta = isOld
    ? 0
    : Math.max(0, set.readInt32BE(start + AT.lastOffsetDelta));
  const last = int64(set, start) + delta;
  // So does the first offset: one that leads out of the log, or below what was asked for, is not believed.
  const isWithin = last >= fetchOffset && last < highWatermark;
  return isWithin ? last : fetchOffset + delta;
}
