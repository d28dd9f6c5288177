import { randomUUID } from "node:crypto";
import type { Kafka, RawRecord } from "@postrider/messaging";

/** Reads every record that the topics hold now, in order within each partition. Uses a group of its own that commits nothing, as a table does. */
export async function readTopics(
  kafka: Kafka,
  topics: readonly string[],
): Promise<RawRecord[]> {
  const records: RawRecord[] = [];
  const left = new Map<string, number>();
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const consumer = kafka.consumer({
    groupId: `read.${randomUUID()}`,
    topics,
    sessionTimeoutMs: 30_000,
  });
  let isSettled = false;
  const finishWhenRead = (): void => {
    if (isSettled && left.size === 0) resolve();
  };
  await consumer.start({
    assigned(_epoch, partitions) {
      isSettled = false;
      left.clear();
      records.length = 0;
      consumer.fetchLogRanges(partitions).then((ranges) => {
        for (const range of ranges) {
          if (range.start < range.end) left.set(placeOf(range), range.end);
          consumer.seek(range, range.start);
        }
        isSettled = true;
        consumer.resume(partitions);
        finishWhenRead();
      }, reject);
    },
    batch(_epoch, batch) {
      const end = left.get(placeOf(batch));
      if (end === undefined) return;
      for (const record of batch.records)
        if (record.offset < end) records.push(record);
      if (batch.lastOffset + 1 >= end) left.delete(placeOf(batch));
      finishWhenRead();
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

function placeOf(at: { readonly topic: string; readonly partition: number }) {
  return `${at.topic}/${at.partition}`;
}
