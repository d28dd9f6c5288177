/** Produces at a fixed rate, however long each send takes. With `consume` it also reads the records back: the latency of a bare client. BROKER TOPIC FILE RATE COUNT [consume] */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Kafka, logLevel, Partitioners } from "kafkajs";

const [broker = "", topic = "", file = "", rate, total, mode] =
  process.argv.slice(2);
const count = Number(total);
/** Records that become due within this time (ms) are sent together; one request per record would keep the broker busy with us alone. On average half of it is part of every latency. */
const TICK_MS = 5;
const perMicro = Number(rate) / 1e6;
const micros = (): number => Number(process.hrtime.bigint() / 1000n);
// A line of the file: the key, a tab, the value in base64.
const lines = readFileSync(file, "utf8").split("\n").slice(0, count);
const messages = lines.map((line) => {
  const [key = "", value = ""] = line.split("\t");
  return { key, value: Buffer.from(value, "base64") };
});
const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.ERROR });
const producer = kafka.producer({
  idempotent: true,
  allowAutoTopicCreation: false,
  createPartitioner: Partitioners.DefaultPartitioner,
});
const groupId = `${topic}.bare`;
const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 500 });
const seen = new Map<string, number>();
await producer.connect();
if (mode === "consume") {
  const fetching = new Promise((done) =>
    consumer.on("consumer.fetch_start", done),
  );
  await consumer.subscribe({ topics: [topic], fromBeginning: true });
  await consumer.run({
    eachBatch: async ({ batch }) => {
      const now = micros();
      for (const { key } of batch.messages) seen.set(String(key), now);
    },
  });
  await fetching;
}
const startedAt = micros();
for (let sent = 0; sent < count; await sleep(TICK_MS)) {
  const dueNow = Math.floor((micros() - startedAt) * perMicro) + 1;
  const due = messages.slice(sent, dueNow);
  sent += due.length;
  if (due.length === 0) continue;
  await producer.sendBatch({ topicMessages: [{ topic, messages: due }] });
}
while (mode === "consume" && seen.size < count) await sleep(10);
await producer.disconnect();
await consumer.disconnect();
const seenAt = messages.map(({ key }) => seen.get(key) ?? 0);
process.send?.({ kind: "done", startedAt, seenAt });
process.disconnect?.();
