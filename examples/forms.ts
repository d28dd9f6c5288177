// KAFKA_BROKERS=127.0.0.1:9092 npx node --disable-warning=TimeoutNegativeWarning examples/forms.ts FORM…
// Sends one record in each of the forms that are named, of docs/publishing.md: envelope, avro, cloudevent-binary, cloudevent-structured; or, for the
// sources of examples/sources.yaml, orders, parcels.
import { readFileSync } from "node:fs";
import avro from "avsc";
import { Kafka, Partitioners, type Message } from "kafkajs";

const EVENTS = `${process.env["POSTRIDER_TOPIC_PREFIX"] ?? "postrider."}events`;

const forms: Readonly<Record<string, () => readonly [string, Message]>> = {
  envelope: () => [
    EVENTS,
    {
      key: "acme:order-1",
      value: `{"id":"order-1","type":"order.paid","tenantId":"acme","payload":{"orderId":1,"total":12.50}}`,
    },
  ],
  avro: () => [EVENTS, { key: "acme:order-2", value: webhookEvent("order-2") }],
  "cloudevent-binary": () => [
    EVENTS,
    {
      key: "acme:order-3",
      headers: {
        ce_specversion: "1.0",
        ce_id: "order-3",
        ce_source: "/shop",
        ce_type: "order.paid",
        ce_tenantid: "acme",
        "content-type": "application/json",
      },
      value: `{"orderId":3,"total":12.50}`,
    },
  ],
  "cloudevent-structured": () => [
    EVENTS,
    {
      key: "acme:order-4",
      headers: { "content-type": "application/cloudevents+json" },
      value: `{"specversion":"1.0","id":"order-4","source":"/shop","type":"order.paid","tenantid":"acme","data":{"orderId":4,"total":12.50}}`,
    },
  ],
  orders: () => [
    "shop.orders",
    { value: `{"event":"order.paid","order":{"id":1001,"total":12.50}}` },
  ],
  parcels: () => [
    "shop.parcels",
    { headers: { tenant: "acme" }, value: `{"parcel":"p-7","at":"Bremen"}` },
  ],
};

const records = process.argv.slice(2).map((form) => forms[form]?.());
if (records.length === 0 || records.includes(undefined))
  throw new Error(`FORM is one of ${Object.keys(forms).join(", ")}`);
const kafka = new Kafka({
  brokers: (process.env["KAFKA_BROKERS"] ?? "127.0.0.1:9092").split(","),
});
const producer = kafka.producer({
  idempotent: true,
  createPartitioner: Partitioners.DefaultPartitioner,
});
await producer.connect();
for (const [topic, message] of records.filter((each) => each !== undefined)) {
  if (topic !== EVENTS) await makeTopic(topic);
  await producer.send({ topic, messages: [message] });
  console.log(`sent to ${topic}`);
}
await producer.disconnect();

/** In your Kafka such a topic is there already. */
async function makeTopic(topic: string): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: 2 }] });
  await admin.disconnect();
}

/** Avro's single-object encoding: C3 01, the schema's CRC-64 (little endian), the value. */
function webhookEvent(id: string): Buffer {
  const file = new URL("../schemas/webhook-event.avsc", import.meta.url);
  const schema = JSON.parse(readFileSync(file, "utf8")) as avro.Schema;
  const type = avro.Type.forSchema(schema);
  // What is left out has the schema's default.
  const value = type.toBuffer({
    id,
    type: "order.paid",
    tenantId: "acme",
    payload: Buffer.from(`{"orderId":2,"total":12.50}`),
  });
  const header = Buffer.alloc(10);
  header.writeUInt16BE(0xc301, 0);
  header.writeBigUInt64LE(crc64(JSON.stringify(type.schema())), 2);
  return Buffer.concat([header, value]);
}

/** CRC-64-AVRO of the schema's parsing canonical form (Avro's specification, Schema Fingerprints). */
function crc64(canonical: string): bigint {
  const empty = 0xc15d213aa4d7a795n;
  let crc = empty;
  for (const byte of Buffer.from(canonical)) {
    let entry = (crc ^ BigInt(byte)) & 0xffn;
    for (let bit = 0; bit < 8; bit++)
      entry = (entry >> 1n) ^ ((entry & 1n) === 1n ? empty : 0n);
    crc = (crc >> 8n) ^ entry;
  }
  return crc;
}
