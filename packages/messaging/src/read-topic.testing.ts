/** For integration tests: what a topic holds, read the way a table reads. */
import { randomUUID } from "node:crypto";
import type { Kafka } from "./kafka.ts";
import type { RawRecord } from "./record.ts";

/** Every record of the topic, in order within its partition. */
export async function readTopic(
  kafka: Kafka,
  topic: string,
): Promise<RawRecord[]> {
  const records: RawRecord[] = [];
  const ends = new Map<number, number>();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const consumer = kafka.consumer({
    groupId: `${topic}.read.${randomUUID()}`,
    topics: [topic],
    sessionTimeoutMs: 6000,
  });
  const finish = (): void => {
    if (ends.size === 0) resolve();
  };
  await consumer.start({
    assigned(_epoch, partitions) {
      consumer.fetchLogRanges(partitions).then((ranges) => {
        for (const range of ranges) {
          if (range.start < range.end) ends.set(range.partition, range.end);
          consumer.seek(range, range.start);
        }
        consumer.resume(partitions);
        finish();
      }, reject);
    },
    batch(_epoch, batch) {
      records.push(...batch.records);
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
  return records;
}
