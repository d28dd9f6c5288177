/** Makes the entries that producers take: encodes a record, or replaces it by a dead letter if its value does not fit its schema. */
import type { MonotonicMs } from "@postrider/core";
import type { Clock, Log, Meter } from "@postrider/runtime";
import type { DeadLetterOf } from "../dead-letter-of.ts";
import type { OutRecord, RawRecord, RecordHeaders } from "../record.ts";
import { topicName } from "../topics.ts";
import { UnfitValueError } from "../unfit-value-error.ts";
import { lengthOf, type ValueBytes } from "../value-bytes.ts";
import { outputMetrics, type OutputMetrics } from "./output-metrics.ts";
import type { OutputEntry, Ticket } from "./output-queue.ts";
import { hashedKey, KeyHashes, type HashedKey } from "./partitioner.ts";
import { deadLettersInstead } from "./unfit.ts";

export interface OutputEntriesOptions {
  /** Throws `UnfitValueError` if a value does not fit its schema. */
  readonly encode: (record: OutRecord) => ValueBytes;
  readonly prefix: string;
  readonly deadLetterOf: DeadLetterOf;
  readonly log: Log;
  readonly meter: Meter;
  readonly clock: Clock;
  /** For topics whose records nobody waits for: how long one waits for others to fill its batch, at most, ms. */
  readonly lingerMs: (topic: OutRecord["topic"]) => number | undefined;
}

interface EncodedRecord {
  readonly record: OutRecord;
  readonly value: ValueBytes;
}

export class OutputEntries {
  readonly #options: OutputEntriesOptions;
  readonly #metrics: OutputMetrics;
  readonly #keys = new KeyHashes();
  /** The full name by the name without prefix: one text for each topic, made and hashed once. */
  readonly #topicNames = new Map<string, string>();

  constructor(options: OutputEntriesOptions) {
    this.#options = options;
    this.#metrics = outputMetrics(options.meter);
  }

  /** The entry of a record. Throws `UnfitValueError` if the value does not fit and there is no `source` that a dead letter could name. */
  of(
    wanted: OutRecord,
    source: RawRecord | undefined,
    ticket: Ticket,
    since: MonotonicMs,
  ): OutputEntry {
    const { record, value } = this.#encoded(wanted, source);
    const key = this.#keyOf(record);
    return {
      record,
      source,
      topic: this.#topicName(record.topic),
      key: key?.bytes ?? null,
      hash: key?.hash ?? 0,
      value,
      headers: record.headers,
      bytes:
        lengthOf(value) + (key?.bytes.length ?? 0) + overhead(record.headers),
      since,
      lingersUntil: since + (this.#options.lingerMs(record.topic) ?? Infinity),
      cut: -1,
      ticket,
      partition: -1,
    };
  }

  #keyOf({ topic, key }: OutRecord): HashedKey | null {
    if (key === null) return null;
    return KEYED_BY_EVENT.has(topic) ? hashedKey(key) : this.#keys.of(key);
  }

  #topicName(topic: OutRecord["topic"]): string {
    let name = this.#topicNames.get(topic);
    if (name === undefined) {
      name = topicName(this.#options.prefix, topic);
      this.#topicNames.set(topic, name);
    }
    return name;
  }

  #encoded(record: OutRecord, source: RawRecord | undefined): EncodedRecord {
    try {
      return { record, value: this.#options.encode(record) };
    } catch (error) {
      if (!(error instanceof UnfitValueError)) throw error;
      this.#note(error, source);
      return this.#instead(error, source);
    }
  }

  #instead(
    unfit: UnfitValueError,
    source: RawRecord | undefined,
  ): EncodedRecord {
    const { encode, deadLetterOf, clock } = this.#options;
    const context = { source, deadLetterOf, now: clock.now() };
    for (const record of deadLettersInstead(unfit, context)) {
      try {
        return { record, value: encode(record) };
      } catch (error) {
        if (!(error instanceof UnfitValueError)) throw error;
      }
    }
    throw unfit;
  }

  #note(
    { topic, field, rule }: UnfitValueError,
    source: RawRecord | undefined,
  ): void {
    this.#metrics.unfit(topic);
    this.#options.log.error("record.unfit", {
      topic,
      field,
      rule,
      sourceTopic: source?.topic,
      sourcePartition: source?.partition,
      sourceOffset: source?.offset,
    });
  }
}

/** Topics whose keys name one event each. To remember such keys would push out those that come again: endpoints' ids. */
const KEYED_BY_EVENT: ReadonlySet<OutRecord["topic"]> = new Set([
  "events",
  "intake",
] as const);

/** About how many bytes a record takes in a batch beside key and value: lengths, deltas and headers. */
function overhead(headers: RecordHeaders | undefined): number {
  let bytes = 24;
  for (const name in headers) {
    const value = headers[name]!;
    const values = Buffer.isBuffer(value) ? [value] : value;
    for (const each of values) bytes += 10 + name.length + each.length;
  }
  return bytes;
}
