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

/** What one fetch returns at most, unless a single batch is larger. Of letters that follow each other, each fetch brings twice as much as the last one. */
const LEAST_FETCH_BYTES = 65_536;
const MOST_FETCH_BYTES = 524_288;
/** Letters that follow each other in a selection are of many endpoints, and so of all partitions. */
const KEPT_FETCHES = 16;
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
  let kept: readonly Kept[] = [];
  /** By partition: settles when those that were asked for until now are read. */
  const turns = new Map<number, Promise<unknown>>();

  /** The batch with this offset; null if the log begins later, or ends before it: then the topic was made anew. */
  async function fetched(
    { partition, offset }: LetterPlace,
    maxBytes: number,
  ): Promise<FetchedBatch | null> {
    for (let empty = 0; empty < MAX_EMPTY_FETCHES; empty += 1) {
      signal.throwIfAborted();
      const place = { topic, partition };
      try {
        const batch = await consumer.fetchOnce(place, offset, maxBytes);
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

  async function batchWith(place: LetterPlace): Promise<FetchedBatch | null> {
    const known = kept.find(({ batch }) => isIn(batch, place));
    if (known !== undefined) return known.batch;
    const before = kept.find(({ batch }) => isSoonAfter(batch, place));
    const maxBytes =
      before === undefined
        ? LEAST_FETCH_BYTES
        : Math.min(2 * before.maxBytes, MOST_FETCH_BYTES);
    const batch = await fetched(place, maxBytes);
    if (batch === null) return null;
    const others = kept.filter((each) => each !== before);
    kept = [{ batch, maxBytes }, ...others].slice(0, KEPT_FETCHES);
    return batch;
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
      // One after the other: the batch that is fetched for one may have the next one, too.
      const before = turns.get(partition) ?? Promise.resolve();
      const turn = before.then(() => batchWith(place));
      turns.set(
        partition,
        turn.catch(() => undefined),
      );
      const batch = await turn;
      return (
        batch?.records.find(
          (record) => record.offset <= offset && offset <= lastOffsetOf(record),
        ) ?? null
      );
    },
    stop: () => consumer.stop(),
  };
}

interface Kept {
  readonly batch: FetchedBatch;
  /** How much was asked for. */
  readonly maxBytes: number;
}

function isIn(batch: FetchedBatch, { partition, offset }: LetterPlace) {
  return (
    batch.partition === partition &&
    batch.fetchOffset <= offset &&
    offset <= batch.lastOffset
  );
}

/** Whether another fetch of the batch's size would have it. */
function isSoonAfter(batch: FetchedBatch, { partition, offset }: LetterPlace) {
  const { fetchOffset, lastOffset } = batch;
  return (
    batch.partition === partition &&
    lastOffset < offset &&
    offset <= 2 * lastOffset - fetchOffset + 1
  );
}

/** The broker's own word, so that an error of the network is not taken for the end of the log. */
function isOutOfRange(error: unknown): boolean {
  return (
    error instanceof Error &&
    "type" in error &&
    error.type === "OFFSET_OUT_OF_RANGE"
  );
}
