/** Baseline: a bare kafkajs sendBatch loop, after a warm-up of its own. BROKER TOPIC KEYS VALUE-BYTES COUNT BATCH */
import { Kafka, logLevel, Partitioners } from "kafkajs";

const [broker = "", topic = "", keys, bytes, total, batch] =
  process.argv.slice(2);
const count = Number(total);
const size = Number(batch);
const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.ERROR });
const producer = kafka.producer({
  idempotent: true,
  allowAutoTopicCreation: false,
  createPartitioner: Partitioners.DefaultPartitioner,
});
const value = Buffer.alloc(Number(bytes), "x");

/** Sends with the same keys, in the same rotation, as the subject's records. */
async function send(records: number): Promise<void> {
  for (let sent = 0; sent < records; sent += size) {
    const length = Math.min(size, records - sent);
    const messages = Array.from({ length }, (_, i) => ({
      key: `ep_bench${String((sent + i) % Number(keys)).padStart(19, "0")}`,
      value,
    }));
    await producer.sendBatch({
      acks: -1,
      topicMessages: [{ topic, messages }],
    });
  }
}

await producer.connect();
await send(count / 4);
const startedAt = performance.now();
await send(count);
const seconds = (performance.now() - startedAt) / 1000;
await producer.disconnect();
process.send?.({ kind: "done", perSecond: count / seconds });
process.disconnect?.();
