/** What stands before a batch's records (magic 2). Source: Kafka's protocol guide, Record Batch. */

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
  readonly end: number;
  readonly first: number;
  readonly last: number;
}

/** What the bytes there say, if they can be a batch's. */
export function claimAt(set: Buffer, start: number): BatchClaim | null {
  if (start + AT.records > set.length) return null;
  const end = start + LENGTH_END + set.readInt32BE(start + AT.length);
  const first = int64(set, start);
  const last = first + set.readInt32BE(start + AT.lastOffsetDelta);
  const isOne =
    set[start + AT.magic] === MAGIC &&
    end >= start + AT.records &&
    end <= set.length &&
    first >= 0 &&
    last >= first;
  return isOne ? { end, first, last } : null;
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
