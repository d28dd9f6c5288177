/** Configured sources on a real Kafka: topics that were there before Postrider. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { DeadLetter, Delivery, Intake } from "@postrider/core";
import {
  createSchemas,
  type Kafka,
  type Schemas,
  type TopicValues,
} from "@postrider/messaging";
import { composeLifecycle, type Lifecycle } from "@postrider/runtime";
import {
  anEndpoint,
  readTopics,
  testEffects,
  useStack,
  waitFor,
} from "@postrider/testkit";
import kafkajs from "kafkajs";
import { compose, type Ingest } from "../compose.ts";
import { readIngestConfig } from "../config.ts";

const { CompressionTypes, logLevel, Partitioners } = kafkajs;
const stack = useStack();
const folder = mkdtempSync(join(tmpdir(), "postrider-sources-"));
const ORDERS = `${stack.prefix}shop.orders`;
const PARCELS = `${stack.prefix}parcels`;
const LATER = `${stack.prefix}later`;

let kafka: Kafka;
let schemas: Schemas;
let ingest: Ingest;
let client: kafkajs.Kafka;
const running: Lifecycle[] = [];

async function start(part: Lifecycle): Promise<void> {
  running.push(part);
  await part.start();
}

function sourcesFile(): string {
  const file = join(folder, "sources.yaml");
  writeFileSync(
    file,
    `
sources:
  - topic: ${ORDERS}
    format: json
    tenantId: {literal: acme}
    type: {path: $.kind}
    id: {path: '$["order id"]'}
    payload: {path: $.body}
  - topic: ${PARCELS}
    format: json
    tenantId: {header: tenant}
    type: {literal: parcel.moved}
  - topic: ${LATER}
    format: json
    tenantId: {literal: acme}
    type: {literal: later.event}
`,
  );
  return file;
}

beforeAll(async () => {
  await stack.createTopics(
    "events",
    "deliveries",
    "intake",
    "dead-letters",
    "endpoints",
    "control",
    "schemas",
    "shop.orders",
    "parcels",
  );
  kafka = stack.kafka();
  client = new kafkajs.Kafka({
    brokers: [...stack.brokers],
    logLevel: logLevel.NOTHING,
  });
  schemas = createSchemas({ kafka, prefix: stack.prefix, ...testEffects() });
  await start(schemas);
  const producer = await kafka.createProducer();
  const value = anEndpoint({ id: "ep_all" });
  await producer.sendBatch([
    {
      topic: `${stack.prefix}endpoints`,
      partition: 0,
      key: Buffer.from(value.id),
      value: schemas.encode({ topic: "endpoints", key: value.id, value }),
    },
  ]);
  await producer.disconnect();
  const config = readIngestConfig({
    KAFKA_BROKERS: stack.brokers.join(","),
    POSTRIDER_TOPIC_PREFIX: stack.prefix,
    POSTRIDER_ADMIN_KEY: "admin-key",
    POSTRIDER_ENCRYPTION_KEYS: `k1:${Buffer.alloc(32, 9).toString("base64")}`,
    POSTRIDER_SESSION_TIMEOUT: `${stack.sessionTimeoutMs}ms`,
    POSTRIDER_PORT: "0",
    POSTRIDER_SOURCES_FILE: sourcesFile(),
  });
  ingest = compose(config, testEffects());
  await start(composeLifecycle(ingest.parts, testEffects()));
});

afterAll(async () => {
  for (const part of running.toReversed()) await part.stop(Date.now() + 8_000);
  rmSync(folder, { recursive: true, force: true });
});

interface Sent {
  readonly value: string | Buffer | null;
  readonly headers?: Readonly<Record<string, string>>;
}

/** By a client that is none of ours. */
async function produce(
  topic: string,
  records: readonly Sent[],
  compression = CompressionTypes.None,
): Promise<void> {
  const producer = client.producer({
    createPartitioner: Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  await producer.send({
    topic,
    compression,
    messages: records.map(({ value, headers = {} }) => ({
      value,
      headers: { ...headers },
      partition: 0,
    })),
  });
  await producer.disconnect();
}

async function all<T extends keyof TopicValues>(
  topic: T,
): Promise<TopicValues[T][]> {
  const decode = schemas.decoderOf(topic);
  const records = await readTopics(kafka, [stack.prefix + topic]);
  return records.map((raw) => {
    const decoded = decode(raw);
    if (decoded.kind !== "decoded") throw new Error(decoded.kind);
    return decoded.value;
  });
}

/** Those that follow from the topic's records, in its order. */
function of<T extends Pick<Intake, "sourceTopic" | "sourceOffset">>(
  topic: string,
  records: readonly T[],
): T[] {
  return records
    .filter(({ sourceTopic }) => sourceTopic === topic)
    .toSorted((a, b) => a.sourceOffset - b.sourceOffset);
}

/** The topic's intake once it has so many records. */
async function intakeOf(topic: string, count: number): Promise<Intake[]> {
  return await waitFor(
    async () => {
      const found = of(topic, await all("intake"));
      return found.length >= count ? found : undefined;
    },
    { what: `${count} intake records of ${topic}` },
  );
}

async function deliveriesOf(topic: string): Promise<Delivery[]> {
  return of(topic, await all("deliveries"));
}

async function deadLettersOf(topic: string): Promise<DeadLetter[]> {
  return of(topic, await all("dead-letters"));
}

test("a topic that does not exist keeps nothing waiting, is told, and is read once it is there", async () => {
  const check = () =>
    ingest.health.ready().find(({ name }) => name === `route:${LATER}.kafka`);
  await waitFor(() => ingest.health.ready().every(({ isOk }) => isOk));
  expect(check()).toMatchObject({
    isOk: true,
    detail: expect.stringMatching(/^degraded: it has not joined/),
  });

  await stack.createTopics("later");
  await produce(LATER, [{ value: "{}" }]);

  expect(await intakeOf(LATER, 1)).toMatchObject([{ decision: "routed" }]);
  expect(check()).toMatchObject({ detail: "" });
});

test("each record becomes an event by its source's fields, its payload byte for byte", async () => {
  const body = `{ "n" : 12345678901234567890, "a":1.0,"a":"\\ud800" }`;
  await produce(ORDERS, [
    { value: `{"kind":"order.paid","order id":"o-1","body":${body}}` },
    { value: `{"kind":"order.paid","order id":"o-1","body":1}` },
  ]);
  const parcel = `\ufeff[1, 2.50]\n`;
  await produce(PARCELS, [{ value: parcel, headers: { tenant: "acme" } }]);

  const orders = await intakeOf(ORDERS, 2);
  expect(orders.map(({ decision }) => decision)).toEqual([
    "routed",
    "duplicate",
  ]);
  expect(await deliveriesOf(ORDERS)).toMatchObject([
    {
      eventId: `${ORDERS}:o-1`,
      eventType: "order.paid",
      tenantId: "acme",
      contentType: "application/json",
      payload: Buffer.from(body),
    },
  ]);
  await intakeOf(PARCELS, 1);
  expect(await deliveriesOf(PARCELS)).toMatchObject([
    {
      eventId: `${PARCELS}:0:0`,
      eventType: "parcel.moved",
      payload: Buffer.from(parcel),
    },
  ]);
});

test("records that do not fit become dead letters with the field and the rule, and the partition goes on", async () => {
  const before = (await intakeOf(PARCELS, 1)).length;
  const tenant = { headers: { tenant: "acme" } };
  await produce(PARCELS, [
    { value: "{}" },
    { value: "{", ...tenant },
    { value: null, ...tenant },
    { value: "{}", headers: { tenant: "a b" } },
    { value: "{}", ...tenant },
  ]);

  const found = (await intakeOf(PARCELS, before + 5)).slice(-5);

  expect(
    found.map(({ decision, field, rule }) => [decision, field, rule]),
  ).toEqual([
    ["invalid", "tenantId", "required"],
    ["invalid", "", "json"],
    ["invalid", "", "required"],
    ["invalid", "tenantId", "pattern"],
    ["routed", null, null],
  ]);
  expect(
    (await deadLettersOf(PARCELS)).map(({ reason, field, detail, rawKid }) => [
      reason,
      field,
      detail,
      rawKid,
    ]),
  ).toEqual([
    ["invalid", "tenantId", "tenantId: the header tenant is not there", "k1"],
    ["unreadable", "", "not valid JSON", "k1"],
    ["unreadable", "", "the record has no value", null],
    ["invalid", "tenantId", expect.stringContaining("must match"), "k1"],
  ]);
});

test("batches in all four codecs are read", async () => {
  const before = (await intakeOf(PARCELS, 1)).length;
  const codecs = [
    CompressionTypes.GZIP,
    CompressionTypes.Snappy,
    CompressionTypes.LZ4,
    CompressionTypes.ZSTD,
  ];
  for (const codec of codecs) {
    const value = JSON.stringify({ codec, text: "abc".repeat(1_000) });
    await produce(PARCELS, [{ value, headers: { tenant: "acme" } }], codec);
  }

  await intakeOf(PARCELS, before + codecs.length);

  const payloads = (await deliveriesOf(PARCELS)).map(({ payload }) =>
    Buffer.from(payload).toString(),
  );
  for (const codec of codecs)
    expect(payloads).toContain(
      JSON.stringify({ codec, text: "abc".repeat(1_000) }),
    );
});

test("records of a transaction that was aborted are never delivered; those of a committed one are, once it is", async () => {
  const before = (await intakeOf(PARCELS, 1)).length;
  const producer = client.producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    transactionalId: `${stack.prefix}tx`,
    maxInFlightRequests: 1,
    idempotent: true,
  });
  await producer.connect();
  for (const [value, isCommitted] of [
    ['"aborted"', false],
    ['"committed"', true],
    ['"aborted too"', false],
  ] as const) {
    const transaction = await producer.transaction();
    const headers = { tenant: "acme" };
    await transaction.send({
      topic: PARCELS,
      messages: [{ value, headers, partition: 0 }],
    });
    await (isCommitted ? transaction.commit() : transaction.abort());
  }
  await producer.disconnect();
  await produce(PARCELS, [{ value: '"last"', headers: { tenant: "acme" } }]);

  await intakeOf(PARCELS, before + 2);

  const payloads = (await deliveriesOf(PARCELS))
    .map(({ payload }) => Buffer.from(payload).toString())
    .slice(-2);
  expect(payloads).toEqual(['"committed"', '"last"']);
  expect(await intakeOf(PARCELS, before + 2)).toHaveLength(before + 2);
});
