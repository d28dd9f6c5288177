/** Records that wait to be produced, first in first out, and how many of them go into one batch. */
import type { MonotonicMs } from "@postrider/core";
import type { OutRecord, RawRecord, RecordHeaders } from "../record.ts";

/** What a caller of `send` waits for: its records that are not acknowledged yet. */
export interface Ticket {
  left: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** One record on its way, as producers take it. `partition` is set when it is taken. */
export interface OutputEntry {
  readonly record: OutRecord;
  readonly source: RawRecord | undefined;
  /** The topic's full name. */
  readonly topic: string;
  readonly key: Buffer | null;
  readonly hash: number;
  readonly value: Buffer;
  readonly headers: RecordHeaders | undefined;
  /** What it takes in a record batch, roughly. */
  readonly bytes: number;
  readonly since: MonotonicMs;
  /** Which of `RAW_LIMITS` a dead letter in its place has been cut to; -1: it is itself. */
  readonly cut: number;
  /** Told once, when it is acknowledged. */
  readonly ticket: Ticket;
  partition: number;
}

export interface BatchLimits {
  /** In one request. Default 500. */
  readonly records: number;
  /** Of one partition, because the broker's limit holds for a partition's whole record batch. Default 512 KiB. */
  readonly partitionBytes: number;
  /** In one request. Default 8 MiB; brokers refuse 100 MiB. */
  readonly requestBytes: number;
}

export const BATCH_LIMITS: BatchLimits = {
  records: 500,
  partitionBytes: 512 * 1024,
  requestBytes: 8 * 1024 * 1024,
};

/** A queue of an array and where it begins: taking from its front costs nothing. */
export class OutputQueue {
  #entries: OutputEntry[] = [];
  #head = 0;
  #bytes = 0;

  get length(): number {
    return this.#entries.length - this.#head;
  }

  get first(): OutputEntry | undefined {
    return this.#entries[this.#head];
  }

  push(entry: OutputEntry): void {
    this.#entries.push(entry);
    this.#bytes += entry.bytes;
  }

  /** A batch's worth waits, so there is no reason to linger. */
  isFull(limits: BatchLimits): boolean {
    return (
      this.length >= limits.records || this.#bytes >= limits.partitionBytes
    );
  }

  /** The topics of the records that the next batch can hold. */
  topics(limits: BatchLimits): Set<string> {
    const topics = new Set<string>();
    const end = Math.min(this.#entries.length, this.#head + limits.records);
    for (let i = this.#head; i < end; i++) topics.add(this.#entries[i]!.topic);
    return topics;
  }

  /** The longest front of the queue that keeps the limits; a record over a partition's limit alone, wherever it goes. */
  take(
    limits: BatchLimits,
    partitionOf: (entry: OutputEntry) => number,
  ): OutputEntry[] {
    const batch: OutputEntry[] = [];
    const byPartition = new Map<string, number>();
    let bytes = 0;
    while (this.#head < this.#entries.length && batch.length < limits.records) {
      const entry = this.#entries[this.#head]!;
      entry.partition = partitionOf(entry);
      const place = `${entry.topic}/${entry.partition}`;
      const placed = (byPartition.get(place) ?? 0) + entry.bytes;
      bytes += entry.bytes;
      const fits =
        placed <= limits.partitionBytes && bytes <= limits.requestBytes;
      if (!fits && batch.length > 0) break;
      byPartition.set(place, placed);
      batch.push(entry);
      this.#head += 1;
      if (!fits) break;
    }
    this.#forget(batch);
    return batch;
  }

  /** Everything that waits; the queue is empty after. */
  drain(): OutputEntry[] {
    const rest = this.#entries.slice(this.#head);
    this.#entries = [];
    this.#head = this.#bytes = 0;
    return rest;
  }

  #forget(taken: readonly OutputEntry[]): void {
    for (const entry of taken) this.#bytes -= entry.bytes;
    if (this.#head === this.#entries.length) {
      this.#entries = [];
      this.#head = 0;
    } else if (this.#head > 4096) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
  }
}
