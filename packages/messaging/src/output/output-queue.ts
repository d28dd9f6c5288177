/** Records that wait to be produced, first in first out, and how many of them go into one batch. */
import type { MonotonicMs } from "@postrider/core";
import { ByPartition } from "../by-partition.ts";
import type { Sent } from "../output-port.ts";
import type { OutRecord, RawRecord, RecordHeaders } from "../record.ts";
import type { ValueBytes } from "../value-bytes.ts";

/** One call of `send`: how many of its records are not acknowledged yet, and what to call when it ends. 0 left: it has ended. */
export interface Ticket {
  left: number;
  readonly ended: Sent;
}

/** One record to be produced. `partition` is set when the record is taken into a batch. */
export interface OutputEntry {
  readonly record: OutRecord;
  readonly source: RawRecord | undefined;
  /** The topic's full name. */
  readonly topic: string;
  readonly key: Buffer | null;
  readonly hash: number;
  readonly value: ValueBytes;
  readonly headers: RecordHeaders | undefined;
  /** About its size in a record batch. */
  readonly bytes: number;
  readonly since: MonotonicMs;
  /** Until then it may wait for others, to go in one batch with them; `Infinity` if it is hurried. */
  readonly lingersUntil: MonotonicMs;
  /** Index in `RAW_LIMITS` (too-large) to which this dead letter was cut; -1 if this is not a dead letter in the place of a refused record. */
  readonly cut: number;
  /** The call of `send` that waits for this record. */
  readonly ticket: Ticket;
  partition: number;
}

export interface BatchLimits {
  /** Records in one request. Default 500. */
  readonly records: number;
  /** Bytes of one partition in one request. Default 512 KiB. The broker's limit holds for a partition's whole record batch. */
  readonly partitionBytes: number;
  /** Bytes in one request. Default 8 MiB; brokers refuse 100 MiB. */
  readonly requestBytes: number;
}

export const BATCH_LIMITS: BatchLimits = {
  records: 500,
  partitionBytes: 512 * 1024,
  requestBytes: 8 * 1024 * 1024,
};

const FEW = BATCH_LIMITS.records;

/** An array and the index of its first element: taking from the front does not move the other elements. */
export class OutputQueue {
  #entries: OutputEntry[] = [];
  #head = 0;
  #bytes = 0;
  #lingersUntil: MonotonicMs = Infinity;
  #hurried = 0;
  #hurriedSince: MonotonicMs = -Infinity;

  /** How many of its records are hurried. */
  get hurried(): number {
    return this.#hurried;
  }

  /** When the last hurried record came. */
  get hurriedSince(): MonotonicMs {
    return this.#hurriedSince;
  }

  /** When the first of its records that are not hurried stops waiting for others; `Infinity` without any. */
  get lingersUntil(): MonotonicMs {
    return this.#lingersUntil;
  }

  get length(): number {
    return this.#entries.length - this.#head;
  }

  get first(): OutputEntry | undefined {
    return this.#entries[this.#head];
  }

  push(entry: OutputEntry): void {
    this.#entries.push(entry);
    this.#bytes += entry.bytes;
    this.#lingersUntil = Math.min(this.#lingersUntil, entry.lingersUntil);
    if (isHurried(entry)) {
      this.#hurried += 1;
      this.#hurriedSince = entry.since;
    }
  }

  /** Enough records for a whole batch wait, so there is no reason to linger. */
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

  /** Takes as many records from the front as the limits allow. A record that alone exceeds a limit is taken alone. */
  take(
    limits: BatchLimits,
    partitionOf: (entry: OutputEntry) => number,
  ): OutputEntry[] {
    const batch: OutputEntry[] = [];
    /** Bytes. */
    const taken = new ByPartition<number>();
    let bytes = 0;
    while (this.#head < this.#entries.length && batch.length < limits.records) {
      const entry = this.#entries[this.#head]!;
      entry.partition = partitionOf(entry);
      const placed = (taken.get(entry) ?? 0) + entry.bytes;
      bytes += entry.bytes;
      const fits =
        placed <= limits.partitionBytes && bytes <= limits.requestBytes;
      if (!fits && batch.length > 0) break;
      taken.set(entry, placed);
      batch.push(entry);
      this.#head += 1;
      if (!fits) break;
    }
    this.#forget(batch);
    return batch;
  }

  /** Takes everything; the queue is empty afterwards. */
  drain(): OutputEntry[] {
    const rest = this.#entries.slice(this.#head);
    this.#entries = [];
    this.#head = this.#bytes = this.#hurried = 0;
    this.#lingersUntil = Infinity;
    return rest;
  }

  #forget(taken: readonly OutputEntry[]): void {
    for (const entry of taken) {
      this.#bytes -= entry.bytes;
      if (isHurried(entry)) this.#hurried -= 1;
    }
    this.#lingersUntil = Infinity;
    // The first ones are enough: with more than a batch of them nothing lingers.
    const end = Math.min(this.#entries.length, this.#head + FEW);
    for (let i = this.#head; i < end; i++)
      this.#lingersUntil = Math.min(
        this.#lingersUntil,
        this.#entries[i]!.lingersUntil,
      );
    if (this.#head === this.#entries.length) {
      this.#entries = [];
      this.#head = 0;
    } else if (this.#head > 4096) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
  }
}

function isHurried({ lingersUntil }: OutputEntry): boolean {
  return lingersUntil === Infinity;
}
