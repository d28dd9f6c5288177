/** Records of one partition that were fetched and are not yet in a batch, in offset order. Pure but for the state it holds. */
import type { MonotonicMs } from "@postrider/core";
import type { FetchedBatch } from "../ports.ts";
import { lastOffsetOf, type RawRecord } from "../record.ts";

/** Bytes that a record costs beyond key and value: an estimate of its headers and of the objects around it. */
const RECORD_OVERHEAD_BYTES = 200;

export class BatchQueue {
  #records: RawRecord[] = [];
  #bytes = 0;
  #readTo: number;
  #headSince: MonotonicMs = 0;

  constructor(position: number) {
    this.#readTo = position;
  }

  /** One past the last offset that was fetched, whether or not there was a record. */
  get readTo(): number {
    return this.#readTo;
  }

  get size(): number {
    return this.#records.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** In offset order, the next to be recorded first. */
  get records(): readonly RawRecord[] {
    return this.#records;
  }

  /** Since when the oldest record could have left; meaningless when empty. */
  get headSince(): MonotonicMs {
    return this.#headSince;
  }

  /** Adds a fetched batch. What lies before the position (a fetch that was under way when we sought) is dropped. */
  push(batch: FetchedBatch, now: MonotonicMs): void {
    if (this.#records.length === 0) this.#headSince = now;
    for (const record of batch.records) {
      if (lastOffsetOf(record) < this.#readTo) continue;
      const isBefore = record.offset < this.#readTo;
      // Of a range that began before the position, what is left.
      const own = isBefore ? { ...record, offset: this.#readTo } : record;
      this.#records.push(own);
      this.#bytes += bytesOf(own);
    }
    this.#readTo = Math.max(this.#readTo, batch.lastOffset + 1);
  }

  /** The log no longer has what lies below `position`: fetching goes on there. What is here stays. */
  skipTo(position: number): void {
    this.#readTo = Math.max(this.#readTo, position);
  }

  /** Removes the first `count` records. */
  drop(count: number, now: MonotonicMs): void {
    for (const record of this.#records.splice(0, count))
      this.#bytes -= bytesOf(record);
    this.#headSince = now;
  }

  /**
   * How many records a batch takes from the head: at most `maxRecords`, and `maxBytes` unless one record alone is larger. What
   * stands for a range of offsets is a batch of its own: should it be readable when its intent is repeated, no row of the
   * range was in an earlier insert.
   */
  countOfBatch(maxRecords: number, maxBytes: number): number {
    let bytes = 0;
    let count = 0;
    while (count < this.#records.length && count < maxRecords) {
      const record = this.#records[count]!;
      if (lastOffsetOf(record) > record.offset) return Math.max(count, 1);
      bytes += bytesOf(record);
      if (bytes > maxBytes && count > 0) break;
      count++;
    }
    return count;
  }
}

function bytesOf(record: RawRecord): number {
  return (
    RECORD_OVERHEAD_BYTES +
    (record.key?.byteLength ?? 0) +
    (record.value?.byteLength ?? 0)
  );
}
