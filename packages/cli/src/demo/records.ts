/** What the tour writes to Kafka, and counts there. */
import {
  partitionOf,
  topicName,
  type ProducerRecord,
} from "@postrider/messaging";
import { connectKafka, withAdmin } from "../kafka.ts";

/** Produces events as a producer in any language would: plain JSON, a key, acks from all replicas. */
export async function produceEvents(
  brokers: readonly string[],
  prefix: string,
  events: readonly { key: string; value: string }[],
): Promise<void> {
  const kafka = connectKafka(brokers);
  const topic = topicName(prefix, "events");
  const admin = kafka.admin();
  await admin.connect();
  const counts = await admin.partitionCounts([topic]);
  await admin.disconnect();
  const producer = await kafka.createProducer();
  await producer.sendBatch(
    events.map(({ key, value }): ProducerRecord => {
      const bytes = Buffer.from(key);
      const partition = partitionOf(bytes, counts.get(topic) ?? 1);
      return { topic, partition, key: bytes, value: Buffer.from(value) };
    }),
  );
  await producer.disconnect();
}

/** How many records a tier's topic has ever got; Kafka may have deleted some since. */
export async function recordsIn(
  brokers: readonly string[],
  prefix: string,
  tier: string,
): Promise<number> {
  return await withAdmin(brokers, async (admin) => {
    const ranges = await admin.fetchLogRanges([
      topicName(prefix, `retry.${tier}`),
    ]);
    return ranges.reduce((sum, { end }) => sum + end, 0);
  });
}
