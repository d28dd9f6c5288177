/** One `Idempotency-Key` at several doors and after restarts, on a real Kafka. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { Intake } from "@postrider/core";
import { createSchemas, type Schemas } from "@postrider/messaging";
import { composeLifecycle, type Lifecycle } from "@postrider/runtime";
import { readTopics, testEffects, useStack, waitFor } from "@postrider/testkit";
import { compose } from "./compose.ts";
import { readIngestConfig } from "./config.ts";

const stack = useStack();
const ADMIN_KEY = "admin-key";
const running: Lifecycle[] = [];
let schemas: Schemas;

/** One process of ingest. */
async function anIngest(roles: string): Promise<{ url: string } & Lifecycle> {
  const effects = testEffects();
  const ingest = compose(
    readIngestConfig({
      KAFKA_BROKERS: stack.brokers.join(","),
      POSTRIDER_TOPIC_PREFIX: stack.prefix,
      POSTRIDER_ADMIN_KEY: ADMIN_KEY,
      POSTRIDER_ENCRYPTION_KEYS: `k1:${Buffer.alloc(32, 9).toString("base64")}`,
      POSTRIDER_SESSION_TIMEOUT: `${stack.sessionTimeoutMs}ms`,
      POSTRIDER_INGEST_ROLES: roles,
      POSTRIDER_PORT: "0",
    }),
    effects,
  );
  const whole = composeLifecycle(ingest.parts, effects);
  running.push(whole);
  await whole.start();
  return {
    url: ingest.door!.url(),
    start: () => whole.start(),
    stop: (deadline) => whole.stop(deadline),
  };
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
  );
  const kafka = stack.kafka();
  schemas = createSchemas({ ...testEffects(), kafka, prefix: stack.prefix });
  await schemas.start();
  running.push(schemas);
});
afterAll(async () => {
  for (const part of running.toReversed()) await part.stop(Date.now() + 8_000);
});

async function post(url: string, key: string, body: unknown) {
  const response = await fetch(`${url}/v1/events`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${ADMIN_KEY}`,
      "content-type": "application/json",
      "idempotency-key": key,
    },
    body: JSON.stringify(body),
  });
  const json = (await response.json()) as { events?: { id: string }[] };
  return {
    status: response.status,
    ids: json.events?.map(({ id }) => id) ?? [],
  };
}

/** What was decided about an event, in the order of the log, once it was decided so often. */
async function decisionsOf(eventId: string, count: number): Promise<Intake[]> {
  const decode = schemas.decoderOf("intake");
  return await waitFor(async () => {
    const raws = await readTopics(stack.kafka(), [`${stack.prefix}intake`]);
    const found = raws
      .map((raw) => decode(raw))
      .flatMap((one) => (one.kind === "decoded" ? [one.value] : []))
      .filter((one) => one.eventId === eventId)
      .toSorted((a, b) => a.sourceOffset - b.sourceOffset);
    return found.length >= count && found;
  });
}

const event = { type: "order.paid", tenantId: "acme", payload: { n: 1 } };

test("a key names the same events at every door and after a restart, and each is accepted once", async () => {
  const batch = { events: [event, { ...event, payload: { n: 2 } }] };
  const first = await anIngest("door,route");
  const second = await anIngest("door");

  const answers = [
    await post(first.url, "key-1", batch),
    await post(first.url, "key-1", batch),
    await post(second.url, "key-1", batch),
  ];
  await first.stop(Date.now() + 8_000);
  const restarted = await anIngest("door,route");
  answers.push(await post(restarted.url, "key-1", batch));

  expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202]);
  for (const { ids } of answers) expect(ids).toEqual(answers[0]?.ids);
  expect(answers[0]?.ids).toHaveLength(2);
  for (const id of answers[0]!.ids) {
    // The first door has answered the second request by itself.
    const rows = await decisionsOf(id, 3);
    expect(rows.map(({ decision }) => decision)).toEqual([
      "no_match",
      "duplicate",
      "duplicate",
    ]);
    for (const { reason } of rows) expect(reason).not.toContain("another");
  }
});

test("another body is refused by the door that knows the key; at another door it is a duplicate that says what is wrong", async () => {
  const [here, there] = [await anIngest("door"), await anIngest("door")];
  const { ids } = await post(here.url, "key-2", event);
  const other = { ...event, payload: { n: 3 } };

  const refused = await post(here.url, "key-2", other);
  const taken = await post(there.url, "key-2", other);

  expect(refused.status).toBe(422);
  expect(taken).toEqual({ status: 202, ids });
  const [, duplicate] = await decisionsOf(ids[0]!, 2);
  expect(duplicate).toMatchObject({
    decision: "duplicate",
    reason: expect.stringContaining("with another type or payload"),
  });
});
