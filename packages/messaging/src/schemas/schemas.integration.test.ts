import { afterEach, beforeEach, expect, test } from "@jest/globals";
import {
  aDelivery,
  aSignal,
  readTopics,
  testEffects,
  useStack,
  waitFor,
} from "@postrider/testkit";
import { createKafka, type Kafka } from "../kafkajs/kafka.ts";
import type { RawRecord } from "../record.ts";
import { readSchemaFiles } from "./schema-files.ts";
import { createSchemas, type Schemas } from "./schemas.ts";

const stack = useStack();
const closing: (() => Promise<unknown>)[] = [];
let kafka: Kafka;
let prefixes = 0;
let prefix: string;

beforeEach(async () => {
  kafka = createKafka(
    { brokers: stack.brokers, clientId: "schemas-test" },
    testEffects(),
  );
  prefix = `${stack.prefix}${prefixes++}.`;
  await stack.createTopics(`${prefix.slice(stack.prefix.length)}schemas`);
});

afterEach(async () => {
  for (const close of closing.toReversed()) await close();
  closing.length = 0;
});

async function startSchemas(ownSchemas = readSchemaFiles()): Promise<Schemas> {
  const sessionTimeoutMs = stack.sessionTimeoutMs;
  const own = { prefix, ownSchemas, sessionTimeoutMs };
  const schemas = createSchemas({ kafka, ...own, ...testEffects() });
  closing.push(() => schemas.stop(Date.now() + 2000));
  await schemas.start();
  return schemas;
}

const rawOf = (value: Buffer): RawRecord => {
  const place = { topic: "t", partition: 0, offset: 0, timestamp: 0 };
  return { ...place, key: null, value, headers: {} };
};

test("our schemas are written to the topic before the first use, once", async () => {
  await startSchemas();
  await startSchemas();

  const written = await readTopics(kafka, [`${prefix}schemas`]);
  const keys = written.map((record) => record.key!.toString());
  expect(new Set(keys).size).toBe(readSchemaFiles().size);
  expect(keys).toHaveLength(readSchemaFiles().size);
  expect(keys[0]).toMatch(/^[0-9a-f]{16}$/);
});

test("a value of a newer writer is read as soon as its schema is in the `schemas` topic", async () => {
  const ours = await startSchemas();
  const signal = JSON.parse(readSchemaFiles().get("Signal")!) as {
    fields: unknown[];
  };
  signal.fields.push({ name: "severity", type: "int", default: 0 });
  const newer = await startSchemas(
    new Map(readSchemaFiles()).set("Signal", JSON.stringify(signal)),
  );
  const value = aSignal();
  const encoded = newer.encode({ topic: "signals", key: null, value });
  const decode = ours.decoderOf("signals");

  const decoded = await waitFor(() => {
    const now = decode(rawOf(encoded));
    return now.kind === "decoded" && now;
  });

  expect({ ...decoded.value }).toEqual(value);
});

test("a schema under a wrong fingerprint, and garbage, are ignored", async () => {
  const producer = await kafka.createProducer();
  closing.push(() => producer.disconnect());
  const topic = `${prefix}schemas`;
  const place = { topic, partition: 0 };
  await producer.sendBatch([
    {
      ...place,
      key: Buffer.from("0000000000000001"),
      value: Buffer.from('"int"'),
    },
    {
      ...place,
      key: Buffer.from("7275d51a3f395c8f"),
      value: Buffer.from("{{{"),
    },
    { ...place, key: null, value: Buffer.from([1, 2, 3]) },
  ]);

  const schemas = await startSchemas();

  const value = aDelivery();
  const encoded = schemas.encode({ topic: "deliveries", key: null, value });
  const decoded = schemas.decoderOf("retry.1s")(rawOf(encoded));
  expect(decoded.kind).toBe("decoded");
  const wrong = Buffer.from("c301010000000000000002", "hex");
  expect(schemas.decoderOf("deliveries")(rawOf(wrong)).kind).toBe(
    "unknown_schema",
  );
});

test("without a registry a value that carries a registry id is a dead letter at once", async () => {
  const schemas = await startSchemas();

  const decoded = schemas.decoderOf("events")(
    rawOf(Buffer.from("000000000102", "hex")),
  );

  expect(decoded).toMatchObject({
    kind: "unreadable",
    reason: "unknown_schema",
  });
});
