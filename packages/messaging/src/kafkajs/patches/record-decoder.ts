/**
 * Reads the records of one batch in one pass over its inflated bytes. Records below the fetch offset are skipped without making
 * objects for them.
 *
 * Records live seconds longer than the fetch, and its memory is used again for the next one (answer-memory.ts), so they must not
 * be views of it. The bytes are copied into windows of a few records each: a record keeps at most `WINDOW_BYTES` in memory beside
 * its own. Only a record that is seven eighths or more of what its batch inflated to is a view of that.
 */
import { setOwn } from "../../set-own.ts";
import type { RawRecord, RecordHeaders } from "../../record.ts";

/** Nobody needs more headers on one record. Without a limit a faulty producer could make us build 500,000 of them. */
export const MAX_HEADERS = 1000;
/** Length, attributes, timestamp, offset, key, value and headers take at least one byte each. */
export const SMALLEST_RECORD_BYTES = 7;

/** Records share a copy of so many bytes; a record larger than half of it gets its own. The size is that of Node's own pool of small buffers. */
const WINDOW_BYTES = 8 << 10;
const NO_BYTES = Buffer.alloc(0);
const NO_HEADERS: RecordHeaders = {};

export interface RecordsOfBatch {
  readonly topic: string;
  readonly partition: number;
  /** Records below it are skipped. */
  readonly fetchOffset: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly count: number;
  /** Each record's timestamp is stored as a difference to this one. */
  readonly baseTimestamp: number;
  /** The timestamp of all records on a topic with LogAppendTime; else null. */
  readonly appendTimestamp: number | null;
  /** The records, inflated. */
  readonly bytes: Buffer;
  /** `bytes` has memory of its own. Otherwise it is a view of the fetch. */
  readonly isInflated: boolean;
}

/** The batch contradicts itself: none of its records can be trusted. */
export class BatchFramingError extends Error {
  readonly code = "BATCH_FRAMING";
}

/** Appends the records to `to`, in order. If it throws `BatchFramingError`, some may have been appended already; the caller must remove them. */
export function decodeRecords(batch: RecordsOfBatch, to: RawRecord[]): void {
  new RecordReader(batch).readAll(to);
}

/** Reads on from one position in the bytes; holds the window that was copied last. */
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
      // Skip the record's attributes: Kafka does not use them yet.
      this.#at++;
      const timestampDelta = this.#varLong(end);
      const offset = baseOffset + this.#varInt(end);
      // Offsets must ascend without a repeat: otherwise a record could be taken for another one that is done.
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
    // Headers that are not read need not be copied.
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

  /** Makes sure that the window holds the bytes from `from` to `to`. */
  #keep(from: number, to: number): void {
    const shift = from - this.#windowFrom;
    if (shift >= 0 && to - this.#windowFrom <= this.#window.length) return;
    const size = to - from;
    // A record that is nearly all of that memory need not be copied. The limits on what waits count its own bytes only.
    const { isInflated } = this.#batch;
    if (isInflated && 8 * size >= 7 * this.#bytes.buffer.byteLength) {
      this.#window = this.#bytes.subarray(from, to);
      this.#windowFrom = from;
      return;
    }
    const room = Math.min(WINDOW_BYTES, this.#bytes.length - from);
    this.#window = Buffer.allocUnsafeSlow(
      size > WINDOW_BYTES / 2 ? size : room,
    );
    this.#windowFrom = from;
    this.#bytes.copy(this.#window, 0, from, from + this.#window.length);
  }

  /** The bytes at this place, from the window. A size of -1 is Kafka's null. */
  #slice(at: number, size: number): Buffer | null {
    if (size <= 0) return size === 0 ? NO_BYTES : null;
    const from = at - this.#windowFrom;
    return this.#window.subarray(from, from + size);
  }

  /** Reads an int32: zigzag, 7 bits a byte. */
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

  /** Reads an int64 (zigzag) as a number: exact up to 2^53, which timestamps do not reach. */
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
