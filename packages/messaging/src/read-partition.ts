/** Reads a range of one partition's log, batch by batch, as the only member of a group of its own that never commits. */
import { randomUUID } from "node:crypto";
import { sleep } from "@postrider/runtime";
import type {
  Consumer,
  ConsumerOptions,
  FetchedBatch,
  TopicPartition,
} from "./ports.ts";

export interface ReadPartitionOptions {
  readonly kafka: { consumer(options: ConsumerOptions): Consumer };
  /** Full name. */
  readonly topic: string;
  readonly partition: number;
  /** The first offset. Where the log begins later, reading begins there. */
  readonly from: number;
  /** One past the last offset. Where the log ends earlier, reading ends there. */
  readonly to: number;
  readonly signal: AbortSignal;
  readonly sessionTimeoutMs?: number;
}

const RETRY_MS = 200;

/**
 * Yields the batches in the order of the log; records outside of the range are left out. Batches may be empty; the position is
 * `lastOffset + 1` all the same. While the caller is busy with a batch, fetching is paused: a few batches are in memory at most.
 * Retries while Kafka is away. Throws the signal's reason once it is aborted.
 */
export async function* readPartition(
  options: ReadPartitionOptions,
): AsyncGenerator<FetchedBatch, void> {
  const { kafka, topic, partition, signal, sessionTimeoutMs } = options;
  signal.throwIfAborted();
  const place: TopicPartition = { topic, partition };
  const queue: FetchedBatch[] = [];
  let position = options.from;
  let end = Infinity;
  let current = -1;
  /** Whether the consumer was told where to read in the current epoch; before that it would read somewhere else. */
  let isPlaced = false;
  let wake = newWake();
  const notify = (): void => wake.resolve();
  const consumer = kafka.consumer({
    groupId: `${topic}.read.${randomUUID()}`,
    topics: [topic],
    ...(sessionTimeoutMs !== undefined && { sessionTimeoutMs }),
  });

  /** Seeks to the position and resumes this partition alone; the others of the topic stay paused, so they are not fetched. */
  async function begin(epoch: number): Promise<void> {
    while (epoch === current && !signal.aborted) {
      try {
        const [range] = await consumer.fetchLogRanges([place]);
        if (range === undefined) throw new Error("the partition has no leader");
        if (epoch !== current) return;
        position = Math.max(position, range.start);
        end = Math.min(options.to, range.end);
        if (position < end) {
          consumer.seek(place, position);
          isPlaced = true;
        }
        return notify();
      } catch {
        await sleep(RETRY_MS, { signal });
      }
    }
  }

  const started = consumer.start({
    assigned(epoch) {
      current = epoch;
      isPlaced = false;
      void begin(epoch);
    },
    revoking() {},
    batch(epoch, batch) {
      // A fetch that was under way when we paused brings its batch all the same.
      if (epoch !== current || batch.lastOffset < position) return;
      consumer.pause([place]);
      const first = position;
      queue.push({
        ...batch,
        records: batch.records.filter(
          ({ offset }) => offset >= first && offset < end,
        ),
      });
      position = batch.lastOffset + 1;
      notify();
    },
    outOfRange(epoch) {
      void begin(epoch);
    },
    connected() {},
  });
  started.catch((error: unknown) => wake.reject(error));
  const stopped = (): void => wake.reject(signal.reason);
  signal.addEventListener("abort", stopped, { once: true });
  try {
    for (;;) {
      signal.throwIfAborted();
      const batch = queue.shift();
      if (batch !== undefined) yield batch;
      else if (position >= end) return;
      else {
        if (isPlaced) consumer.resume([place]);
        await wake.promise;
        wake = newWake();
      }
    }
  } finally {
    signal.removeEventListener("abort", stopped);
    await consumer.stop();
  }
}

/** The caller may be busy with a batch when the promise rejects; nobody waits for the promise then. */
function newWake(): PromiseWithResolvers<void> {
  const wake = Promise.withResolvers<void>();
  wake.promise.catch(() => undefined);
  return wake;
}
