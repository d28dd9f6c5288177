/** Records of one partition that were fetched and are not in a batch yet, in offset order. No side effects. */
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

  /** One past the last offset that was fetched, even if there was no record at that offset. */
  get readTo(): number {
    return this.#readTo;
  }

  get size(): number {
    return this.#records.length;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes of the first `count` records. */
  bytesOf(count: number): number {
    let bytes = 0;
    for (let n = 0; n < count; n++) bytes += bytesOf(this.#records[n]!);
    return bytes;
  }

  /** In offset order: the next to be recorded is the first. */
  get records(): readonly RawRecord[] {
    return this.#records;
  }

  /** Since when the first record has been at the head of the queue. Meaningless if the queue is empty. */
  get headSince(): MonotonicMs {
    return this.#headSince;
  }

  /** Adds a fetched batch. Records below `readTo` (of a fetch that was in flight during our seek) are dropped. */
  push(batch: FetchedBatch, now: MonotonicMs): void {
    if (this.#records.length === 0) this.#headSince = now;
    for (const record of batch.records) {
      if (lastOffsetOf(record) < this.#readTo) continue;
      const isBefore = record.offset < this.#readTo;
      // A range of offsets that began below `readTo` is cut to the part from there on.
      const own = isBefore ? { ...record, offset: this.#readTo } : record;
      this.#records.push(own);
      this.#bytes += bytesOf(own);
    }
    this.#readTo = Math.max(this.#readTo, batch.lastOffset + 1);
  }

  /** The log no longer has offsets below `position`: fetching goes on there. Queued records stay. */
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
   * How many records a batch takes from the head: at most `maxRecords`, and at most `maxBytes` unless one record alone is larger. A
   * record that stands for a range of offsets (a batch that cannot be read) is a batch of its own. If the range can be read when its
   * intent is repeated, its rows are then the only ones under that token, and none of them was inserted before.
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
