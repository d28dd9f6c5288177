/** Baseline: bare kafkajs that produces each record of one topic, as it is, to another. Ends when it is told to. BROKER FROM TO */
import { Kafka, logLevel, Partitioners } from "kafkajs";

const [broker = "", from = "", to = ""] = process.argv.slice(2);
const kafka = new Kafka({ brokers: [broker], logLevel: logLevel.ERROR });
const producer = kafka.producer({
  idempotent: true,
  allowAutoTopicCreation: false,
  createPartitioner: Partitioners.DefaultPartitioner,
});
const consumer = kafka.consumer({ groupId: `${from}.copy` });
const fetching = new Promise((done) =>
  consumer.on("consumer.fetch_start", done),
);
await producer.connect();
await consumer.subscribe({ topics: [from], fromBeginning: true });
await consumer.run({
  eachBatch: async ({ batch }) => {
    const messages = batch.messages.map(({ key, value }) => ({ key, value }));
    await producer.sendBatch({
      acks: -1,
      topicMessages: [{ topic: to, messages }],
    });
  },
});
await fetching;
process.send?.({ kind: "ready" });
