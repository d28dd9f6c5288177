/** Reads single records of `dead-letters` by their coordinates, as the only member of a group of its own that never commits. */
import { randomUUID } from "node:crypto";
import type {
  Consumer,
  ConsumerOptions,
  FetchedBatch,
  RawRecord,
} from "@postrider/messaging";
import { lastOffsetOf } from "@postrider/messaging";
import { aborted } from "../writer/aborted.ts";
import type { LetterPlace } from "./past-deliveries.ts";

export interface LetterLog {
  /** The record; null if the log no longer has it. Rejects while Kafka is away. */
  read(place: LetterPlace): Promise<RawRecord | null>;
  stop(): Promise<void>;
}

/** What one fetch returns at most, unless a single batch is larger. */
const FETCH_BYTES = 65_536;
/** Letters of one endpoint often came in one batch. */
const KEPT_BATCHES = 4;
/** Each waits up to 100 ms. */
const MAX_EMPTY_FETCHES = 50;

export async function openLetterLog(options: {
  readonly kafka: { consumer(options: ConsumerOptions): Consumer };
  /** Full name. */
  readonly topic: string;
  readonly sessionTimeoutMs: number;
  readonly signal: AbortSignal;
}): Promise<LetterLog> {
  const { kafka, topic, sessionTimeoutMs, signal } = options;
  const consumer = kafka.consumer({
    groupId: `${topic}.read.${randomUUID()}`,
    topics: [topic],
    sessionTimeoutMs,
  });
  /** Newest first. */
  let kept: readonly FetchedBatch[] = [];

  /** The batch with this offset; null if the log begins later, or ends before it: then the topic was made anew. */
  async function fetched({
    partition,
    offset,
  }: LetterPlace): Promise<FetchedBatch | null> {
    for (let empty = 0; empty < MAX_EMPTY_FETCHES; empty += 1) {
      signal.throwIfAborted();
      const place = { topic, partition };
      try {
        const batch = await consumer.fetchOnce(place, offset, FETCH_BYTES);
        if (batch !== null && batch.lastOffset >= offset) return batch;
      } catch (error) {
        const [range] = await consumer.fetchLogRanges([place]);
        if (range === undefined) throw error;
        const isBeyond = offset >= range.end && isOutOfRange(error);
        if (offset >= range.start && !isBeyond) throw error;
        return null;
      }
    }
    const [range] = await consumer.fetchLogRanges([{ topic, partition }]);
    if (range !== undefined && offset >= range.end) return null;
    throw new Error(`${topic}/${partition} returned nothing at ${offset}.`);
  }

  try {
    // All partitions stay paused: nothing is read but what is asked for.
    const started = consumer.start({
      assigned() {},
      revoking() {},
      batch() {},
      outOfRange() {},
      connected() {},
    });
    await Promise.race([started, aborted(signal)]);
  } catch (error) {
    await consumer.stop();
    throw error;
  }
  return {
    async read(place) {
      const { partition, offset } = place;
      const holds = (batch: FetchedBatch): boolean =>
        batch.partition === partition &&
        batch.fetchOffset <= offset &&
        offset <= batch.lastOffset;
      let batch = kept.find(holds) ?? null;
      if (batch === null) {
        batch = await fetched(place);
        if (batch === null) return null;
        kept = [batch, ...kept].slice(0, KEPT_BATCHES);
      }
      return (
        batch.records.find(
          (record) => record.offset <= offset && offset <= lastOffsetOf(record),
        ) ?? null
      );
    },
    stop: () => consumer.stop(),
  };
}

/** The broker's own word, so that an error of the network is not taken for the end of the log. */
function isOutOfRange(error: unknown): boolean {
  return (
    error instanceof Error &&
    "type" in error &&
    error.type === "OFFSET_OUT_OF_RANGE"
  );
}
