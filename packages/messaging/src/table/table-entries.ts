/** The entries of a table, and the records that wait for their schema. */
import type { MonotonicMs } from "@postrider/core";
import type { RawRecord } from "../record.ts";
import type { TableListener, TableOptions } from "./table-options.ts";

interface Entry<T> {
  readonly value: T;
  readonly partition: number;
  readonly generation: number;
}

interface Waiting {
  readonly record: RawRecord;
  readonly generation: number;
  readonly since: MonotonicMs;
}

export class TableEntries<T> {
  readonly #options: TableOptions<T>;
  readonly #entries = new Map<string, Entry<T>>();
  readonly #waiting = new Map<string, Waiting>();
  readonly #listeners = new Set<TableListener<T>>();
  readonly #gauge;
  readonly #unreadable;

  constructor(options: TableOptions<T>) {
    this.#options = options;
    this.#gauge = options.meter.gauge(
      "postrider_table_entries",
      "Keys in a table read from a compacted topic",
      ["topic"],
    );
    this.#unreadable = options.meter.counter(
      "postrider_table_unreadable_total",
      "Records of a compacted topic that could not be read; the key keeps its earlier value",
      ["topic"],
    );
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): T | undefined {
    return this.#entries.get(key)?.value;
  }

  *entries(): IterableIterator<[string, T]> {
    for (const [key, { value }] of this.#entries) yield [key, value];
  }

  onChange(listener: TableListener<T>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  count(): void {
    this.#gauge.set(this.size, { topic: this.#options.topic });
  }

  /** Takes one record. It replaces an earlier record of the same key, even one that still waits for its schema. */
  read(record: RawRecord, generation: number): void {
    // The record stands for a batch that cannot be read: its keys are not known.
    if (record.unreadable !== undefined)
      return this.#leftOut(record, record.unreadable.detail);
    if (record.key === null) return this.#leftOut(record, "it has no key");
    const key = record.key.toString("utf8");
    this.#waiting.delete(key);
    if (record.value === null) return this.#remove(key);
    // Copy the value, because the table keeps it for long: a record's bytes may be a view of a window that it shares with other records, and decoded values are views of the record.
    const copy = { ...record, value: Buffer.from(record.value) };
    const since = this.#options.clock.monotonic();
    this.#decode(key, { record: copy, generation, since });
  }

  /** Decodes waiting records again, and leaves out those that have waited too long. True if records still wait. */
  retryWaiting(): boolean {
    const waiting = Array.from(this.#waiting);
    // `#decode` puts those back whose schema is still unknown.
    this.#waiting.clear();
    for (const [key, each] of waiting) this.#decode(key, each);
    return this.#waiting.size > 0;
  }

  /** The partition was read anew: removes keys that were not found again. */
  dropOlder(partition: number, generation: number): void {
    for (const [key, { record, generation: read }] of this.#waiting)
      if (record.partition === partition && read < generation)
        this.#waiting.delete(key);
    for (const [key, entry] of this.#entries)
      if (entry.partition === partition && entry.generation < generation)
        this.#remove(key);
  }

  #decode(key: string, waiting: Waiting): void {
    const { record, generation, since } = waiting;
    const decoded = this.#options.decode(record);
    switch (decoded.kind) {
      case "decoded": {
        const { value } = decoded;
        const { partition } = record;
        this.#entries.set(key, { value, partition, generation });
        return this.#tell(key, value);
      }
      case "unreadable":
        return this.#leftOut(record, decoded.detail);
      case "unknown_schema": {
        const waitMs = this.#options.unknownSchemaWaitMs ?? 5 * 60_000;
        if (this.#options.clock.monotonic() - since < waitMs)
          this.#waiting.set(key, waiting);
        else
          this.#leftOut(record, `its schema is not known: ${decoded.schema}`);
      }
    }
  }

  #remove(key: string): void {
    if (this.#entries.delete(key)) this.#tell(key, undefined);
  }

  #tell(key: string, value: T | undefined): void {
    for (const listener of this.#listeners) listener(key, value);
  }

  #leftOut(record: RawRecord, why: string): void {
    const { topic, partition, offset } = record;
    this.#unreadable.inc({ topic });
    this.#options.log.error("table.recordLeftOut", {
      topic,
      partition,
      offset,
      why,
    });
  }
}
