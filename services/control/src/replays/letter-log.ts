/** Reads single records of `dead-letters` by their coordinates, as the only member of a group of its own that never commits. */
import { randomUUID } from "node:crypto";
import type {
  Consumer,
  ConsumerOptions,
  FetchedBatch,
  RawRecord,
} from "@postrider/messaging";
import { lastOffsetOf } from "@postrider/messaging";
import { orAborted } from "@postrider/runtime";
import type { LetterPlace } from "./past-deliveries.ts";

export interface LetterLog {
  /** The record, with bytes of its own; null if the log no longer has it. Rejects while Kafka is away, and after `stop`. */
  read(place: LetterPlace): Promise<RawRecord | null>;
  /** Also while letters are read: waits for the fetches that are under way, and begins none. */
  stop(): Promise<void>;
}

/** What one fetch returns at most, unless a single batch is larger. Of letters that follow each other, each fetch brings twice as much as the last one. */
const LEAST_FETCH_BYTES = 65_536;
const MOST_FETCH_BYTES = 524_288;
/** Letters that follow each other in a selection are of many endpoints, and so of all partitions. */
const KEPT_FETCHES = 16;
/** Of records, which may be many times what was fetched, because that was compressed. The newest fetch is kept in any case. */
const MAX_KEPT_BYTES = 8 * 1_048_576;
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
  /** By partition: resolves when those that were asked for until now are read. Not to their batch: that would stay in memory. */
  const turns = new Map<number, Promise<void>>();
  let isStopped = false;

  /** The batch with this offset; null if the log begins later, or ends before it: then the topic was made anew. */
  async function fetched(
    { partition, offset }: LetterPlace,
    maxBytes: number,
  ): Promise<FetchedBatch | null> {
    for (let empty = 0; empty < MAX_EMPTY_FETCHES; empty += 1) {
      signal.throwIfAborted();
      // kafkajs would connect once more, and nobody would disconnect it.
      if (isStopped) throw new Error(`${topic} is not read any more.`);
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
    kept = newestOf([{ batch, maxBytes, bytes: bytesOf(batch) }, ...others]);
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
    await orAborted(started, signal);
    signal.throwIfAborted();
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
        turn.then(
          () => undefined,
          () => undefined,
        ),
      );
      const batch = await turn;
      const found = batch?.records.find(
        (record) => record.offset <= offset && offset <= lastOffsetOf(record),
      );
      return found === undefined ? null : copyOf(found);
    },
    async stop() {
      isStopped = true;
      await Promise.all(turns.values());
      await consumer.stop();
    },
  };
}

/** A record as it was fetched keeps all of its fetch in memory. Of letters that lie far apart, a chunk would keep hundreds of fetches. */
function copyOf(record: RawRecord): RawRecord {
  const { key, value, headers } = record;
  return {
    ...record,
    key: key && Buffer.from(key),
    value: value && Buffer.from(value),
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, header]) => [
        name,
        Buffer.isBuffer(header)
          ? Buffer.from(header)
          : header.map((each) => Buffer.from(each)),
      ]),
    ),
  };
}

interface Kept {
  readonly batch: FetchedBatch;
  /** How much was asked for. */
  readonly maxBytes: number;
  /** The keys' and values'. */
  readonly bytes: number;
}

function bytesOf({ records }: FetchedBatch): number {
  return records.reduce(
    (sum, { key, value }) => sum + (key?.length ?? 0) + (value?.length ?? 0),
    0,
  );
}

function newestOf(fetches: readonly Kept[]): Kept[] {
  let bytes = 0;
  const isOver = ({ bytes: own }: Kept): boolean =>
    (bytes += own) > MAX_KEPT_BYTES;
  const end = fetches.slice(0, KEPT_FETCHES).findIndex(isOver);
  return fetches.slice(0, end === -1 ? KEPT_FETCHES : Math.max(1, end));
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
