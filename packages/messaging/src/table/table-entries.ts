/** The entries of a table, and the records that wait for their schema. */
import { counted, type MonotonicMs } from "@postrider/core";
import type { RawRecord } from "../record.ts";
import type { TableListener, TableOptions } from "./table-options.ts";

/** Where a record was read. */
interface Place {
  readonly partition: number;
  readonly offset: number;
  readonly generation: number;
}

interface Entry<T> extends Place {
  /** The value's bytes, one to a character, which takes less memory than a `Buffer`; null once `value` is decoded. */
  encoded: string | null;
  value: T | undefined;
}

interface Waiting extends Place {
  readonly record: RawRecord;
  readonly since: MonotonicMs;
}

export class TableEntries<T> {
  readonly #options: TableOptions<T>;
  readonly #entries = new Map<string, Entry<T>>();
  readonly #waiting = new Map<string, Waiting>();
  /** Keys that were deleted behind a hole: what is read again in its place must not bring them back. */
  readonly #deleted = new Map<string, Place>();
  #awaitedSchema: string | null = null;
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
      "Records of a compacted topic that could not be read (the key keeps its earlier value), and batches that could not (a hole: nobody knows which keys). Alert on any.",
      ["topic"],
    );
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): T | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.encoded === null) return entry?.value;
    entry.value = this.#decodeAgain(key, entry, entry.encoded);
    entry.encoded = null;
    return entry.value;
  }

  *entries(): IterableIterator<[string, T]> {
    // Every key has a value.
    for (const key of this.#entries.keys()) yield [key, this.get(key)!];
  }

  onChange(listener: TableListener<T>): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  count(): void {
    this.#gauge.set(this.size, { topic: this.#options.topic });
  }

  countUnreadable(): void {
    this.#unreadable.inc({ topic: this.#options.topic });
  }

  /**
   * Takes one record that stands for no hole. It replaces an earlier record of the same key, even one that still waits for its
   * schema. A later record of the key stays: records behind a hole are read before the hole is. `mayFollowHole`: the partition
   * has a hole, or had one until now. A record that cannot be read is left out: its key keeps its earlier value.
   */
  read(record: RawRecord, generation: number, mayFollowHole: boolean): void {
    const { unreadable } = record;
    if (unreadable !== undefined)
      return this.#leftOut(record, unreadable.detail);
    if (record.key === null) return this.#leftOut(record, "it has no key");
    const key = record.key.toString("utf8");
    const { partition, offset } = record;
    const place = { partition, offset, generation };
    const isOld = [this.#entries, this.#waiting, this.#deleted].some((places) =>
      isNotBefore(places.get(key), place),
    );
    if (isOld) return;
    this.#waiting.delete(key);
    this.#deleted.delete(key);
    if (record.value === null) {
      if (mayFollowHole) this.#deleted.set(key, place);
      return this.#remove(key);
    }
    // Copy the value, because the table keeps it for long: a record's bytes may be a view of a window that it shares with other records, and decoded values are views of the record.
    const copy = { ...record, value: Buffer.from(record.value) };
    const since = this.#options.clock.monotonic();
    this.#decode(key, { ...place, record: copy, since });
  }

  /** The partition has no hole any more. */
  forgetDeleted(partition: number): void {
    for (const [key, place] of this.#deleted)
      if (place.partition === partition) this.#deleted.delete(key);
  }

  /** What waits for its schema, as a sentence; null where nothing does. */
  describeWaiting(): string | null {
    const [first] = this.#waiting.values();
    if (first === undefined) return null;
    const { partition, offset } = first;
    return `has ${counted(this.#waiting.size, "record")} waiting for a schema, the first at partition ${partition}, offset ${offset} (${this.#awaitedSchema})`;
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
    for (const [key, waiting] of this.#waiting)
      if (waiting.partition === partition && waiting.generation < generation)
        this.#waiting.delete(key);
    for (const [key, entry] of this.#entries)
      if (entry.partition === partition && entry.generation < generation)
        this.#remove(key);
  }

  #decode(key: string, waiting: Waiting): void {
    const { record, partition, offset, generation, since } = waiting;
    const decoded = this.#options.decode(record);
    switch (decoded.kind) {
      case "decoded": {
        const { value } = decoded;
        const place = { partition, offset, generation };
        const encoded = this.#options.isKeptEncoded
          ? record.value!.toString("latin1")
          : null;
        const kept = encoded === null ? value : undefined;
        this.#entries.set(key, { ...place, encoded, value: kept });
        return this.#tell(key, value);
      }
      case "unreadable":
        return this.#leftOut(record, decoded.detail);
      case "unknown_schema": {
        const waitMs = this.#options.unknownSchemaWaitMs ?? 5 * 60_000;
        const isOver = this.#options.clock.monotonic() - since >= waitMs;
        if (isOver && decoded.isSourceBehind !== true)
          return this.#leftOut(
            record,
            `its schema is not known: ${decoded.schema}`,
          );
        this.#awaitedSchema = decoded.schema;
        this.#waiting.set(key, waiting);
      }
    }
  }

  /** Bytes that were decoded when they were read can be decoded again: how a schema is read is kept. Decoders look at the value alone. */
  #decodeAgain(key: string, place: Place, encoded: string): T {
    const { partition, offset } = place;
    const { topic } = this.#options;
    const decoded = this.#options.decode({
      topic,
      partition,
      offset,
      timestamp: 0,
      key: Buffer.from(key),
      value: Buffer.from(encoded, "latin1"),
      headers: {},
    });
    if (decoded.kind === "decoded") return decoded.value;
    throw new Error(
      `${topic} ${partition}:${offset} was read, and is now ${decoded.kind}`,
    );
  }

  #remove(key: string): void {
    if (this.#entries.delete(key)) this.#tell(key, undefined);
  }

  #tell(key: string, value: T | undefined): void {
    for (const listener of this.#listeners) listener(key, value);
  }

  #leftOut(record: RawRecord, why: string): void {
    const { topic, partition, offset } = record;
    this.countUnreadable();
    this.#options.log.error("table.recordLeftOut", {
      topic,
      partition,
      offset,
      why,
    });
  }
}

function isNotBefore(known: Place | undefined, place: Place): boolean {
  return (
    known !== undefined &&
    known.partition === place.partition &&
    known.generation === place.generation &&
    known.offset >= place.offset
  );
}
