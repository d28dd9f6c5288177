// KAFKA_BROKERS=127.0.0.1:9092 npx node --disable-warning=TimeoutNegativeWarning examples/forms.ts FORM…
// Sends one record in each of the forms that are named, of docs/publishing.md: envelope, avro, avro-registry (of SCHEMA_REGISTRY_URL),
// cloudevent-binary, cloudevent-structured; or, for the sources of examples/sources.yaml, orders, parcels.
import { readFileSync } from "node:fs";
import avro from "avsc";
import { Kafka, Partitioners, type Message } from "kafkajs";

const EVENTS = `${process.env["POSTRIDER_TOPIC_PREFIX"] ?? "postrider."}events`;

type Sent = readonly [topic: string, message: Message];
const forms: Readonly<Record<string, () => Sent | Promise<Sent>>> = {
  envelope: () => [
    EVENTS,
    {
      key: "acme:order-1",
      value: `{"id":"order-1","type":"order.paid","tenantId":"acme","payload":{"orderId":1,"total":12.50}}`,
    },
  ],
  avro: () => [
    EVENTS,
    {
      key: "acme:order-2",
      value: Buffer.concat([singleObjectHeader(), webhookEvent(2)]),
    },
  ],
  "avro-registry": async () => [
    EVENTS,
    {
      key: "acme:order-5",
      value: Buffer.concat([await registryHeader(), webhookEvent(5)]),
    },
  ],
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

const asked = process.argv.slice(2).map((name) => forms[name]);
if (asked.length === 0 || asked.includes(undefined))
  throw new Error(`FORM is one of ${Object.keys(forms).join(", ")}`);
const schemaFile = new URL("../schemas/webhook-event.avsc", import.meta.url);
const schemaText = readFileSync(schemaFile, "utf8");
const schema = avro.Type.forSchema(JSON.parse(schemaText) as avro.Schema);
const kafka = new Kafka({
  brokers: (process.env["KAFKA_BROKERS"] ?? "127.0.0.1:9092").split(","),
});
const producer = kafka.producer({
  idempotent: true,
  createPartitioner: Partitioners.DefaultPartitioner,
});
await producer.connect();
for (const form of asked.filter((each) => each !== undefined)) {
  const [topic, message] = await form();
  if (topic !== EVENTS) await makeTopic(topic);
  await producer.send({ topic, messages: [message] });
  console.log(`sent to ${topic}`);
}
await producer.disconnect();

/** In your Kafka such a topic is there already. */
async function makeTopic(topic: string): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  await admin.createTopics({
    topics: [{ topic, numPartitions: 2 }],
    // A broker that has not heard of it yet says that there is none; sending waits for that by itself.
    waitForLeaders: false,
  });
  await admin.disconnect();
}

/** The value without a header. What is left out has the schema's default. */
function webhookEvent(order: number): Buffer {
  return schema.toBuffer({
    id: `order-${order}`,
    type: "order.paid",
    tenantId: "acme",
    payload: Buffer.from(`{"orderId":${order},"total":12.50}`),
  });
}

/** Avro's single-object encoding: C3 01, then the schema's CRC-64, little endian. */
function singleObjectHeader(): Buffer {
  const header = Buffer.alloc(10);
  header.writeUInt16BE(0xc301, 0);
  header.writeBigUInt64LE(crc64(JSON.stringify(schema.schema())), 2);
  return header;
}

/** A registry's framing: 0, then the schema's id there, big endian. A schema that is there already keeps its id. */
async function registryHeader(): Promise<Buffer> {
  const registry = process.env["SCHEMA_REGISTRY_URL"];
  if (!registry) throw new Error("set SCHEMA_REGISTRY_URL");
  const response = await fetch(
    `${registry}/subjects/${EVENTS}-value/versions`,
    {
      method: "POST",
      headers: { "content-type": "application/vnd.schemaregistry.v1+json" },
      body: JSON.stringify({ schema: schemaText }),
    },
  );
  if (!response.ok) throw new Error(await response.text());
  const { id } = (await response.json()) as { id: number };
  const header = Buffer.alloc(5);
  header.writeInt32BE(id, 1);
  return header;
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
