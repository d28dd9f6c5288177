/**
 * Follows one topic in a group of its own that commits nothing. The positions are kept in memory, so after a rejoin it
 * continues where it was.
 */
import { randomUUID } from "node:crypto";
import type {
  Consumer,
  Kafka,
  RawRecord,
  TopicPartition,
} from "@postrider/messaging";

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

export function followTopic(options: FollowOptions): Consumer {
  const positions = new Map<number, number>();
  let current = -1;
  const consumer = options.kafka.consumer({
    groupId: `${options.groupPrefix}tail.${randomUUID()}`,
    topics: [options.topic],
  });

  async function position(
    epoch: number,
    partitions: readonly TopicPartition[],
  ): Promise<void> {
    const isFirst = positions.size === 0;
    const ranges = await consumer.fetchLogRanges(partitions);
    if (epoch !== current) return; // a newer assignment has come meanwhile
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
        position(epoch, partitions).catch(options.onError);
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
        if (epoch === current)
          position(epoch, [partition]).catch(options.onError);
      },
      connected: () => undefined,
    })
    .catch(options.onError);
  return consumer;
}
