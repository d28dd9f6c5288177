/** Chooses the records of the next batch from the queues of an assignment's partitions, and says when it leaves. No side effects. */
import type { EpochMs, MonotonicMs } from "@postrider/core";
import { intentOf } from "./batch-entry.ts";
import type { BatchEntry } from "./batch-entry.ts";
import type { Judged } from "./batch-judge.ts";
import type { BatchQueue } from "./batch-queue.ts";
import { charactersOf, MAX_INTENT_CHARACTERS } from "./intent-metadata.ts";
import type { BatchLimits } from "./partition-host.ts";
import { lastOffsetOf, type RawRecord } from "../record.ts";

/** A partition that is ready and does not wait for a schema. */
export interface Source {
  readonly queue: BatchQueue;
  readonly isFetching: boolean;
}

interface Given<Row> {
  readonly limits: Pick<BatchLimits, "maxRecords" | "maxBytes">;
  /** A batch may have records of several partitions. */
  readonly mayShare: boolean;
  judge(records: readonly RawRecord[]): Judged<Row>;
  now(): EpochMs;
}

export interface Gathered<S, Row> {
  /** As `BatchProtocol.record` takes them; may be empty. */
  readonly entries: readonly BatchEntry<Row>[];
  /** When the batch was gathered. Its intent must carry this time: with a later one it could be too long. */
  readonly intendedAt: EpochMs;
  /** How many records of each partition are among the entries. */
  readonly taken: ReadonlyMap<S, number>;
  /** Partitions whose first record waits for a schema. */
  readonly waiting: ReadonlyMap<S, string>;
}

/** Whether a batch leaves without waiting for more records: it is full, or no record would join it. */
export function isFull(
  sources: readonly Source[],
  { maxRecords, maxBytes }: Given<never>["limits"],
): boolean {
  let records = 0;
  let bytes = 0;
  for (const { queue, isFetching } of sources) {
    if (queue.size === 0) continue;
    records += queue.size;
    bytes += queue.bytes;
    if (!isFetching || records >= maxRecords || bytes >= maxBytes) return true;
    if (queue.countOfBatch(maxRecords, maxBytes) < queue.size) return true;
  }
  return false;
}

/** Since when the oldest head waits; undefined if every queue is empty. */
export function oldestHead(
  sources: readonly Source[],
): MonotonicMs | undefined {
  const heads = sources
    .filter(({ queue }) => queue.size > 0)
    .map(({ queue }) => queue.headSince);
  return heads.length === 0 ? undefined : Math.min(...heads);
}

/** Takes records of the partitions whose heads have waited longest first, until the batch is full. The queues keep them. */
export function gather<S extends Source, Row>(
  sources: readonly S[],
  given: Given<Row>,
): Gathered<S, Row> {
  const { limits, mayShare } = given;
  const taken = new Map<S, number>();
  const waiting = new Map<S, string>();
  const shares: (readonly BatchEntry<Row>[])[] = [];
  let records = 0;
  let bytes = 0;
  let characters = 0;
  const now = given.now();
  const byAge = sources
    .filter(({ queue }) => queue.size > 0)
    .sort((a, b) => a.queue.headSince - b.queue.headSince);
  for (const source of byAge) {
    const { queue } = source;
    const isAlone = standsForRange(queue.records[0]!);
    const isFirst = shares.length === 0;
    if (!isFirst && (isAlone || !mayShare)) continue;
    const count = queue.countOfBatch(
      limits.maxRecords - records,
      limits.maxBytes - bytes,
    );
    const share = queue.records.slice(0, count);
    const size = queue.bytesOf(count);
    if (!isFirst && bytes + size > limits.maxBytes) break;
    const { entries, waitsFor } = given.judge(share);
    if (entries.length === 0) {
      if (waitsFor !== null) waiting.set(source, waitsFor);
      continue;
    }
    const range = intentOf(entries, now).ranges[0]!; // of one partition, with at least one entry
    const text = charactersOf(range, now);
    if (!isFirst && characters + text > MAX_INTENT_CHARACTERS) break;
    shares.push(entries);
    taken.set(source, entries.length);
    records += entries.length;
    bytes += size;
    characters += text;
    if (isAlone || records >= limits.maxRecords || bytes >= limits.maxBytes)
      break;
  }
  shares.sort((a, b) => a[0]!.raw.partition - b[0]!.raw.partition);
  return { entries: shares.flat(), intendedAt: now, taken, waiting };
}

function standsForRange(record: RawRecord): boolean {
  return lastOffsetOf(record) > record.offset;
}
