/** The header of a record batch (magic 2). Source: Kafka's protocol guide, Record Batch. */

import { crc32c } from "@node-rs/crc32";

/** The positions of these fields, and of the records, from a batch's start. */
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
/** Where the bytes begin that a batch's length counts, from its start. */
export const LENGTH_END = 12;
export const MAGIC = 2;
export const LOG_APPEND_TIME = 0x8;
export const TRANSACTIONAL = 0x10;
export const CONTROL = 0x20;

/** Where a batch begins and ends, and the offsets that its header claims. */
export interface BatchClaim {
  readonly start: number;
  /** Lies beyond the bytes that were sent if the batch is cut. */
  readonly end: number;
  readonly first: number;
  readonly last: number;
}

/** Reads the header at `start`; null if these bytes cannot be the header of a batch. */
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

/** Where a batch, or an entry of an old format, ends by its own length; null if that lies outside the bytes that were sent. */
export function endAt(set: Buffer, start: number): number | null {
  if (start + AT.crc > set.length) return null;
  const end = start + LENGTH_END + set.readInt32BE(start + AT.length);
  return end >= start + AT.crc && end <= set.length ? end : null;
}

/** Whether the checksum is right. It covers a batch from its attributes on, so not its first offset, its length and its format's number. */
export function isChecksumRight(
  set: Buffer,
  start: number,
  end: number,
): boolean {
  const covered = set.subarray(start + AT.attributes, end);
  return crc32c(covered) === set.readUInt32BE(start + AT.crc);
}

/** The latest timestamp in a batch's header; 0 if that cannot be a time. */
export function timeOf(set: Buffer, start: number): number {
  if (start + AT.records > set.length) return 0;
  const time = int64(set, start + AT.maxTimestamp);
  return time > 0 && time < END_OF_TIME_MS ? time : 0;
}

/** The year 2100. */
const END_OF_TIME_MS = 4_102_444_800_000;

/** Reads an int64 as a number: exact up to 2^53, which offsets and timestamps do not reach. */
export function int64(bytes: Buffer, at: number): number {
  return bytes.readInt32BE(at) * 2 ** 32 + bytes.readUInt32BE(at + 4);
}
