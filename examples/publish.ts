// KAFKA_BROKERS=127.0.0.1:9092 npx node --disable-warning=TimeoutNegativeWarning examples/publish.ts
// (the warning is of kafkajs on newer Nodes, and harmless)
import { Kafka, Partitioners } from "kafkajs";

const kafka = new Kafka({
  brokers: (process.env["KAFKA_BROKERS"] ?? "127.0.0.1:9092").split(","),
});
const producer = kafka.producer({
  idempotent: true,
  createPartitioner: Partitioners.DefaultPartitioner,
});

await producer.connect();
await producer.send({
  topic: "postrider.events",
  messages: [
    {
      key: "acme:order-1001", // one key per event: repeats then meet in one partition and are dropped
      value: JSON.stringify({
        id: "order-1001",
        type: "order.paid",
        tenantId: "acme",
        payload: { orderId: 1001, total: "49.90" },
      }),
    },
  ],
});
await producer.disconnect();
console.log("published order-1001");
