/** Reads what a topic holds now. Uses a private group that commits nothing, as a table does. */
import { randomUUID } from "node:crypto";
import {
  topicName,
  type Kafka,
  type RawRecord,
  type TopicValues,
} from "@postrider/messaging";
import type { Topics } from "./stack.ts";

/** Decodes every record of one of our topics. Throws at a record that cannot be read. */
export async function readRecords<T extends keyof TopicValues>(
  { kafka, schemas, prefix }: Topics,
  topic: T,
  onRecord: (value: TopicValues[T], raw: RawRecord) => void,
  from?: ReadonlyMap<number, number>,
): Promise<void> {
  const decode = schemas.decoderOf(topic);
  const name = topicName(prefix, topic);
  await readTopic({ kafka, topic: name, from }, (raw) => {
    const decoded = decode(raw);
    if (decoded.kind !== "decoded")
      throw new Error(
        `${topic} ${raw.partition}:${raw.offset} is ${decoded.kind}`,
      );
    onRecord(decoded.value, raw);
  });
}

/** Calls back once for each record, up to the partitions' ends at the start. `from`: the first offset to read in each partition. */
export async function readTopic(
  given: {
    readonly kafka: Kafka;
    readonly topic: string;
    readonly from: ReadonlyMap<number, number> | undefined;
  },
  onRecord: (record: RawRecord) => void,
): Promise<void> {
  const { kafka, topic, from } = given;
  const ends = new Map<number, number>();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const consumer = kafka.consumer({
    groupId: `${topic}.read.${randomUUID()}`,
    topics: [topic],
  });
  const finish = (): void => {
    if (ends.size === 0) resolve();
  };
  await consumer.start({
    assigned(_epoch, partitions) {
      consumer.fetchLogRanges(partitions).then((ranges) => {
        for (const range of ranges) {
          const start = Math.max(range.start, from?.get(range.partition) ?? 0);
          if (start < range.end) ends.set(range.partition, range.end);
          consumer.seek(range, start);
        }
        consumer.resume(partitions);
        finish();
      }, reject);
    },
    batch(_epoch, batch) {
      for (const record of batch.records) onRecord(record);
      const end = ends.get(batch.partition);
      if (end !== undefined && batch.lastOffset + 1 >= end)
        ends.delete(batch.partition);
      finish();
    },
    revoking() {},
    outOfRange() {},
    connected() {},
  });
  try {
    await promise;
  } finally {
    await consumer.stop();
  }
}
