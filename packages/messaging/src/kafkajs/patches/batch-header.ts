/** What stands before a batch's records (magic 2). Source: Kafka's protocol guide, Record Batch. */

import { crc32c } from "@node-rs/crc32";

/** From a batch's start to these fields, and to its records. */
export const AT = {
  length: 8,
  magic: 16,
  crc: 17,
  attributes: 21,
  lastOffsetDelta: 23,
  baseTimestamp: 27,
  maxTimestamp: 35,
  producerId: 43,
  count: 57,
  records: 61,
} as const;
/** What its length counts begins here. */
export const LENGTH_END = 12;
export const MAGIC = 2;
export const LOG_APPEND_TIME = 0x8;
export const TRANSACTIONAL = 0x10;
export const CONTROL = 0x20;

/** Where a batch is, and the offsets that it claims. */
export interface BatchClaim {
  readonly start: number;
  /** Beyond what was sent, where the batch is cut. */
  readonly end: number;
  readonly first: number;
  readonly last: number;
}

/** What the bytes there say, if they can be a batch's header. */
export function claimAt(set: Buffer, start: number): BatchClaim | null {
  if (start + AT.records > set.length) return null;
  const end = start + LENGTH_END + set.readInt32BE(start + AT.length);
  const first = int64(set, start);
  const last = first + set.readInt32BE(start + AT.lastOffsetDelta);
  const isOne =
    set[start + AT.magic] === MAGIC &&
    end >= start + AT.records &&
    first >= 0 &&
    last >= first;
  return isOne ? { start, end, first, last } : null;
}

/** Where a batch or an entry of the old formats ends, by its length; null where that is outside of what was sent. */
export function endAt(set: Buffer, start: number): number | null {
  if (start + AT.crc > set.length) return null;
  const end = start + LENGTH_END + set.readInt32BE(start + AT.length);
  return end >= start + AT.crc && end <= set.length ? end : null;
}

/** It covers a batch from its attributes on: not its first offset, its length and its format's number. */
export function isChecksumRight(
  set: Buffer,
  start: number,
  end: number,
): boolean {
  const covered = set.subarray(start + AT.attributes, end);
  return crc32c(covered) === set.readUInt32BE(start + AT.crc);
}

/** The latest time in a batch; 0 where that cannot be one. */
export function timeOf(set: Buffer, start: number): number {
  if (start + AT.records > set.length) return 0;
  const time = int64(set, start + AT.maxTimestamp);
  return time > 0 && time < END_OF_TIME_MS ? time : 0;
}

/** The year 2100. */
const END_OF_TIME_MS = 4_102_444_800_000;

/** As a number: exact up to 2^53, which offsets and times do not reach. */
export function int64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4);
}
