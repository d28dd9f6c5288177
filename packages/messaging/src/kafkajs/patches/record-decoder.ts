/**
 * The records of one batch, read in one pass over its inflated bytes. Numbers are read as numbers, headers are collected
 * once, and a record that was below the fetch is not made.
 *
 * Records outlive the fetch by seconds, so they may not be views of it: one that stays open would keep megabytes alive.
 * Their bytes are copied a window of a few records at a time, so a record keeps at most `WINDOW_BYTES` alive beside itself.
 */
import { setOwn } from "../../set-own.ts";
import type { RawRecord, RecordHeaders } from "../../record.ts";

/** More is no use that anybody makes of headers; a producer that goes astray must not become 500,000 of them. */
export const MAX_HEADERS = 1000;
/** Length, attributes, time, offset, key, value, headers: a byte each at least. */
export const SMALLEST_RECORD_BYTES = 7;

/** Records share a copy of so many bytes; larger ones have their own. As Node's own pool of small buffers. */
const WINDOW_BYTES = 8 << 10;
const NO_BYTES = Buffer.alloc(0);
const NO_HEADERS: RecordHeaders = {};

export interface RecordsOfBatch {
  readonly topic: string;
  readonly partition: number;
  /** Records below it are passed over. */
  readonly fetchOffset: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly count: number;
  /** What each record's time is counted from. */
  readonly baseTimestamp: number;
  /** The time of all of them, on a topic with LogAppendTime; else null. */
  readonly appendTimestamp: number | null;
  /** Inflated. */
  readonly bytes: Buffer;
}

/** The batch contradicts itself: none of its records can be trusted. */
export class BatchFramingError extends Error {
  readonly code = "BATCH_FRAMING";
}

/** Adds the records to `to`, in order. On a throw of `BatchFramingError` some may have been added: the caller takes them off. */
export function decodeRecords(batch: RecordsOfBatch, to: RawRecord[]): void {
  new RecordReader(batch).readAll(to);
}

/** One position in the bytes, and the window that was copied last. */
class RecordReader {
  readonly #batch: RecordsOfBatch;
  readonly #bytes: Buffer;
  #at = 0;
  #window: Buffer = NO_BYTES;
  #windowFrom = 0;

  constructor(batch: RecordsOfBatch) {
    this.#batch = batch;
    this.#bytes = batch.bytes;
  }

  readAll(to: RawRecord[]): void {
    const { count, baseOffset, lastOffset } = this.#batch;
    if (count > this.#bytes.length / SMALLEST_RECORD_BYTES)
      throw new BatchFramingError(
        `it claims ${count} records in ${this.#bytes.length} bytes`,
      );
    let previous = baseOffset - 1;
    for (let i = 0; i < count; i++) {
      const size = this.#varInt(this.#bytes.length);
      const end = this.#at + size;
      if (size < SMALLEST_RECORD_BYTES - 1 || end > this.#bytes.length)
        throw new BatchFramingError(
          `record ${i} claims ${size} bytes, ${this.#bytes.length - this.#at} are there`,
        );
      // Attributes of a record have no use yet.
      this.#at++;
      const timestampDelta = this.#varLong(end);
      const offset = baseOffset + this.#varInt(end);
      // Each offset once and ascending, or a record would be taken for another that is done.
      if (offset <= previous || offset > lastOffset)
        throw new BatchFramingError(
          `record ${i} claims offset ${offset} after ${previous}, in a batch up to ${lastOffset}`,
        );
      previous = offset;
      if (offset >= this.#batch.fetchOffset)
        to.push(this.#record(offset, timestampDelta, end));
      this.#at = end;
    }
    if (this.#at !== this.#bytes.length)
      throw new BatchFramingError(
        `${this.#bytes.length - this.#at} bytes follow its ${count} records`,
      );
  }

  #record(offset: number, timestampDelta: number, end: number): RawRecord {
    const { topic, partition, appendTimestamp, baseTimestamp } = this.#batch;
    const timestamp = appendTimestamp ?? baseTimestamp + timestampDelta;
    const start = this.#at;
    const keySize = this.#varInt(end);
    const keyAt = this.#at;
    if (keySize > 0) this.#at += keySize;
    const valueSize = this.#varInt(end);
    const valueAt = this.#at;
    if (valueSize > 0) this.#at += valueSize;
    const headerCount = this.#varInt(end);
    const headersAt = this.#at;
    if (keySize < -1 || valueSize < -1 || headerCount < 0 || headersAt > end)
      throw new BatchFramingError(`record at ${offset}: a size is not one`);
    const isTooMany = headerCount > MAX_HEADERS;
    // What is not read of the headers is not kept either.
    if (keySize > 0 || valueSize > 0 || headerCount > 0)
      this.#keep(start, isTooMany ? headersAt : end);
    const key = this.#slice(keyAt, keySize);
    const value = this.#slice(valueAt, valueSize);
    if (isTooMany)
      return {
        topic,
        partition,
        offset,
        timestamp,
        key,
        value,
        headers: NO_HEADERS,
        unreadable: {
          lastOffset: offset,
          reason: "too_many_headers",
          detail: `offset ${offset}: the record has ${headerCount} headers; at most ${MAX_HEADERS} are taken`,
        },
      };
    const headers =
      headerCount === 0 ? NO_HEADERS : this.#headers(headerCount, end);
    if (this.#at !== end)
      throw new BatchFramingError(
        `record at ${offset}: its parts and its size differ by ${end - this.#at} bytes`,
      );
    return { topic, partition, offset, timestamp, key, value, headers };
  }

  /** A repeated name keeps every value, in order. A null value counts as empty. */
  #headers(count: number, end: number): RecordHeaders {
    const headers: Record<string, Buffer | Buffer[]> = {};
    for (let i = 0; i < count; i++) {
      const nameSize = this.#varInt(end);
      const nameAt = this.#at;
      if (nameSize < 0 || nameAt + nameSize > end)
        throw new BatchFramingError("a header's name ends outside of it");
      const name = this.#bytes.toString("utf8", nameAt, nameAt + nameSize);
      this.#at += nameSize;
      const valueSize = this.#varInt(end);
      const valueAt = this.#at;
      if (valueSize < -1 || valueAt + valueSize > end)
        throw new BatchFramingError("a header's value ends outside of it");
      if (valueSize > 0) this.#at += valueSize;
      const value = this.#slice(valueAt, valueSize) ?? NO_BYTES;
      const known = Object.hasOwn(headers, name) ? headers[name] : undefined;
      if (known === undefined) setOwn(headers, name, value);
      else if (Array.isArray(known)) known.push(value);
      else setOwn(headers, name, [known, value]);
    }
    return headers;
  }

  /** Makes the window hold what stands between the two places. */
  #keep(from: number, to: number): void {
    const shift = from - this.#windowFrom;
    if (shift >= 0 && to - this.#windowFrom <= this.#window.length) return;
    const size = to - from;
    const room = Math.min(WINDOW_BYTES, this.#bytes.length - from);
    this.#window = Buffer.allocUnsafeSlow(
      size > WINDOW_BYTES / 2 ? size : room,
    );
    this.#windowFrom = from;
    this.#bytes.copy(this.#window, 0, from, from + this.#window.length);
  }

  /** What stands there, from the window. A size of -1 is Kafka's null. */
  #slice(at: number, size: number): Buffer | null {
    if (size <= 0) return size === 0 ? NO_BYTES : null;
    const from = at - this.#windowFrom;
    return this.#window.subarray(from, from + size);
  }

  /** Zigzag, 7 bits a byte, of an int32. */
  #varInt(end: number): number {
    const bytes = this.#bytes;
    let at = this.#at;
    if (at >= end) throw new BatchFramingError(OUTSIDE);
    let byte = bytes[at++]!;
    if (byte < 0x80) {
      this.#at = at;
      return (byte >>> 1) ^ -(byte & 1);
    }
    let value = byte & 0x7f;
    for (let shift = 7; ; shift += 7) {
      if (at >= end || shift > 28) throw new BatchFramingError(OUTSIDE);
      byte = bytes[at++]!;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) break;
    }
    this.#at = at;
    return (value >>> 1) ^ -(value & 1);
  }

  /** Zigzag of an int64, as a number: exact up to 2^53, which times do not reach. */
  #varLong(end: number): number {
    let value = 0;
    for (let i = 0, scale = 1; ; i++, scale *= 128) {
      if (this.#at >= end || i > 9) throw new BatchFramingError(OUTSIDE);
      const byte = this.#bytes[this.#at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) break;
    }
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}

const OUTSIDE = "a number ends outside of its record";
