/**
 * Follows one topic in a group of its own that commits nothing. The positions are kept in memory, so after a rejoin it
 * continues where it was.
 */
import { randomUUID } from "node:crypto";
import type {
  Kafka,
  LogRange,
  RawRecord,
  TopicPartition,
} from "@postrider/messaging";
import { sleep } from "@postrider/runtime";

export interface FollowOptions {
  readonly kafka: Kafka;
  /** The topic's full name. */
  readonly topic: string;
  readonly groupPrefix: string;
  readonly fromBeginning: boolean;
  readonly onRecord: (record: RawRecord) => void;
  /** Called once, when the consumer is positioned: every record published from then on will be seen. */
  readonly onReady: () => void;
  readonly onError: (error: unknown) => void;
}

const RETRY_MS = 200;

export function followTopic(options: FollowOptions): { stop(): Promise<void> } {
  const stopped = new AbortController();
  const positions = new Map<number, number>();
  let current = -1;
  const consumer = options.kafka.consumer({
    groupId: `${options.groupPrefix}tail.${randomUUID()}`,
    topics: [options.topic],
  });

  /** Where the log of each partition begins and ends: asked for until Kafka tells it of all of them. One that is resumed and was not positioned would be read from its start. Null once a newer assignment has come. */
  async function rangesOf(
    epoch: number,
    partitions: readonly TopicPartition[],
  ): Promise<readonly LogRange[] | null> {
    const { signal } = stopped;
    for (;;) {
      let ranges: readonly LogRange[] = [];
      try {
        ranges = await consumer.fetchLogRanges(partitions);
      } catch {
        // Kafka is away, or this member is in no group just now.
      }
      if (epoch !== current || signal.aborted) return null;
      if (ranges.length === partitions.length) return ranges;
      await sleep(RETRY_MS, { signal });
    }
  }

  async function position(
    epoch: number,
    partitions: readonly TopicPartition[],
  ): Promise<void> {
    const isFirst = positions.size === 0;
    const ranges = await rangesOf(epoch, partitions);
    if (ranges === null) return;
    for (const range of ranges) {
      const begin = options.fromBeginning ? range.start : range.end;
      const wanted = positions.get(range.partition) ?? begin;
      const offset = Math.min(Math.max(wanted, range.start), range.end);
      positions.set(range.partition, offset);
      consumer.seek(range, offset);
    }
    consumer.resume(partitions);
    if (isFirst) options.onReady();
  }

  void consumer
    .start({
      assigned(epoch, partitions) {
        current = epoch;
        void position(epoch, partitions);
      },
      revoking: () => undefined,
      batch(epoch, batch) {
        if (epoch !== current) return;
        const next = positions.get(batch.partition) ?? 0;
        for (const record of batch.records)
          if (record.offset >= next) options.onRecord(record);
        positions.set(batch.partition, batch.lastOffset + 1);
      },
      outOfRange(epoch, partition) {
        if (epoch === current) void position(epoch, [partition]);
      },
      connected: () => undefined,
    })
    .catch(options.onError);
  return {
    async stop() {
      stopped.abort();
      await consumer.stop();
    },
  };
}
