/** What kafkajs fetched, as our records. */
import type { KafkaMessage } from "kafkajs";
import type { GroupBatch } from "./patches/group-binding.ts";
import { setOwn } from "../set-own.ts";
import type { FetchedBatch, TopicPartition } from "../ports.ts";
import type { RawRecord, RecordHeaders } from "../record.ts";

/** kafkajs wants them grouped. */
export function byTopic(
  partitions: readonly TopicPartition[],
): { topic: string; partitions: number[] }[] {
  const grouped = new Map<string, number[]>();
  for (const { topic, partition } of partitions) {
    const list = grouped.get(topic);
    if (list === undefined) grouped.set(topic, [partition]);
    else list.push(partition);
  }
  return [...grouped].map(([topic, list]) => ({ topic, partitions: list }));
}

export function emptyBatch(batch: GroupBatch): FetchedBatch {
  return {
    topic: batch.topic,
    partition: batch.partition,
    fetchOffset: Number(batch.fetchedOffset),
    records: [],
    lastOffset: Number(batch.lastOffset()),
    highWatermark: Number(batch.highWatermark),
  };
}

export function rawRecord(
  topic: string,
  partition: number,
  message: KafkaMessage,
): RawRecord {
  const { key, value } = message;
  // Key and value are views of a whole fetch response: one record that stays open would keep megabytes alive.
  const keyBytes = key?.length ?? 0;
  const own = Buffer.allocUnsafe(keyBytes + (value?.length ?? 0));
  key?.copy(own, 0);
  value?.copy(own, keyBytes);
  return {
    topic,
    partition,
    offset: Number(message.offset),
    timestamp: Number(message.timestamp),
    key: key === null ? null : own.subarray(0, keyBytes),
    value: value === null ? null : own.subarray(keyBytes),
    headers: ownHeaders(message.headers),
  };
}

const NO_HEADERS: RecordHeaders = {};

/**
 * kafkajs collects headers in a plain object and looks each name up before it sets it: a header `constructor` or
 * `__proto__` then comes as a list that begins with what every object inherits. A null value counts as empty.
 */
function ownHeaders(headers: KafkaMessage["headers"]): RecordHeaders {
  if (headers === undefined) return NO_HEADERS;
  let own: Record<string, Buffer | readonly Buffer[]> | null = null;
  for (const name in headers) {
    // Typed without the null that kafkajs gives, and without what it inherits.
    const value: unknown = headers[name];
    const given: readonly unknown[] = Array.isArray(value) ? value : [value];
    const values = given.flatMap((one) => bytesOf(one));
    if (values.length > 0) setOwn((own ??= {}), name, oneOrAll(values));
  }
  return own ?? NO_HEADERS;
}

const NO_BYTES = Buffer.alloc(0);

function bytesOf(value: unknown): Buffer[] {
  if (value === null) return [NO_BYTES];
  return Buffer.isBuffer(value) ? [Buffer.from(value)] : [];
}

function oneOrAll(values: readonly Buffer[]): Buffer | readonly Buffer[] {
  const [only] = values;
  return only !== undefined && values.length === 1 ? only : values;
}
