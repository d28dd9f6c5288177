/** The door and the topic `control` on a real Kafka: it opens once the keys are read, and goes on with what it knows. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { type ApiKey, controlEntry } from "@postrider/core";
import { keyEntry, newKey } from "@postrider/http";
import { createSchemas, type Kafka, type Schemas } from "@postrider/messaging";
import { composeLifecycle, type Lifecycle } from "@postrider/runtime";
import { anApiKey, testEffects, useStack, waitFor } from "@postrider/testkit";
import { compose, type Ingest } from "../compose.ts";
import { readIngestConfig } from "../config.ts";

const stack = useStack();
const ADMIN_KEY = "admin-key";
const effects = testEffects();
let kafka: Kafka;
let schemas: Schemas;
let ingest: Ingest;
let whole: Lifecycle;

beforeAll(async () => {
  await stack.createTopics("events", "schemas");
  kafka = stack.kafka();
  schemas = createSchemas({ ...effects, kafka, prefix: stack.prefix });
  await schemas.start();
  ingest = compose(
    readIngestConfig({
      KAFKA_BROKERS: stack.brokers.join(","),
      POSTRIDER_TOPIC_PREFIX: stack.prefix,
      POSTRIDER_ADMIN_KEY: ADMIN_KEY,
      POSTRIDER_ENCRYPTION_KEYS: `k1:${Buffer.alloc(32, 9).toString("base64")}`,
      POSTRIDER_SESSION_TIMEOUT: `${stack.sessionTimeoutMs}ms`,
      POSTRIDER_INGEST_ROLES: "door",
      POSTRIDER_PORT: "0",
    }),
    effects,
  );
  whole = composeLifecycle(ingest.parts, effects);
});
afterAll(async () => {
  await whole.stop(Date.now() + 10_000);
  await schemas.stop(Date.now() + 5_000);
});

const check = () =>
  ingest.health.ready().find(({ name }) => name === "door-keys");

async function put(key: ApiKey): Promise<void> {
  const name = keyEntry(key.id);
  const value = controlEntry({ key });
  const producer = await kafka.createProducer();
  await producer.sendBatch([
    {
      topic: `${stack.prefix}control`,
      partition: 0,
      key: Buffer.from(name),
      value: schemas.encode({ topic: "control", key: name, value }),
    },
  ]);
  await producer.disconnect();
}

/** What the metric says, in seconds. */
async function keysAge(): Promise<number> {
  const page = await effects.meter.render();
  return Number(/^postrider_door_keys_age_seconds\S* (\S+)$/m.exec(page)?.[1]);
}

async function publish(token: string): Promise<number> {
  const answer = await fetch(`${ingest.door!.url()}/v1/events`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${token}`,
      "content-type": "application/json",
    },
    body: '{"id":"evt_1","type":"order.paid","tenantId":"acme","payload":{}}',
  });
  await answer.text();
  return answer.status;
}

test("the door opens once the keys are read to their end, and goes on with those it knows while they may be old", async () => {
  let isStarted = false;
  const started = whole.start().then(() => (isStarted = true));
  await waitFor(() => check()?.detail.includes("has not been read to its end"));
  expect(check()?.isOk).toBe(false);
  expect(ingest.door?.isListening()).toBe(false);
  expect(isStarted).toBe(false);

  const topics = () =>
    ingest.health.ready().find(({ name }) => name === "topics");
  await waitFor(() => topics()?.detail.includes("does not exist"));
  expect(topics()).toEqual({
    name: "topics",
    isOk: false,
    detail: `topic ${stack.prefix}control does not exist, or this user may not describe it, and work stands still without it. Run \`postrider topics apply\`; no restart is needed.`,
  });

  await stack.createTopics("control");
  await started;
  await waitFor(() => topics()?.isOk);
  expect(await publish(ADMIN_KEY)).toBe(202);
  const { id, token, hash } = newKey();
  await put(anApiKey({ id, hash, role: "publisher", tenantId: "acme" }));
  await waitFor(async () => (await publish(token)) === 202);
  const unknown = newKey().token;
  expect(await publish(unknown)).toBe(401);
  expect(check()).toMatchObject({ isOk: true, detail: "read to their end" });
  expect(await keysAge()).toBeLessThan(5);

  const admin = kafka.admin();
  await admin.connect();
  await admin.deleteTopics([`${stack.prefix}control`]);
  await admin.disconnect();
  await waitFor(async () => (await publish(unknown)) === 503);

  expect(await publish(token)).toBe(202);
  expect(await publish(ADMIN_KEY)).toBe(202);
  expect(check()).toMatchObject({
    isOk: true,
    detail: expect.stringMatching(/^degraded: .*control was last read/),
  });
  await waitFor(async () => (await keysAge()) > 5);
  expect(ingest.health.live().every(({ isOk }) => isOk)).toBe(true);
});
