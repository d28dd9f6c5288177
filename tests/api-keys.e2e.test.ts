/** API keys in two replicas of control and two doors of ingest, on one real Kafka: what one makes or revokes counts in all. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import type { WebhookEvent } from "@postrider/core";
import { createSchemas } from "@postrider/messaging";
import { composeLifecycle, type Lifecycle } from "@postrider/runtime";
import {
  readTopics,
  testEffects,
  useStack,
  waitFor,
  type TestEffects,
} from "@postrider/testkit";
import * as controlService from "../services/control/src/index.ts";
import * as ingestService from "../services/ingest/src/index.ts";

const stack = useStack();
const ADMIN_KEY = "the-key-of-the-environment";
const LONG = 150_000;
const open: (() => Promise<void>)[] = [];
const logs: TestEffects["log"][] = [];
/** Two addresses of control, then two of the door. */
let controls: readonly string[];
let doors: readonly string[];

const ENV = {
  KAFKA_BROKERS: stack.brokers.join(","),
  POSTRIDER_TOPIC_PREFIX: stack.prefix,
  POSTRIDER_SESSION_TIMEOUT: `${stack.sessionTimeoutMs}ms`,
  POSTRIDER_ENCRYPTION_KEYS: `k1:${Buffer.alloc(32, 7).toString("base64")}`,
  POSTRIDER_ADMIN_KEY: ADMIN_KEY,
  CLICKHOUSE_URL: stack.clickhouseUrl,
  POSTRIDER_CLICKHOUSE_DATABASE: stack.database,
  POSTRIDER_PORT: "0",
  POSTRIDER_INGEST_ROLES: "door",
};

async function running(
  parts: readonly Lifecycle[],
  effects: TestEffects,
): Promise<void> {
  const whole = composeLifecycle(parts, effects);
  logs.push(effects.log);
  open.push(async () => {
    await whole.stop(Date.now() + 10_000);
  });
  await whole.start();
}

async function aControl(): Promise<string> {
  const effects = testEffects();
  const config = controlService.readControlConfig(ENV);
  const control = controlService.compose(config, effects);
  await running(control.parts, effects);
  return control.url();
}

async function aDoor(): Promise<string> {
  const effects = testEffects();
  const config = ingestService.readIngestConfig(ENV);
  const { door, parts } = ingestService.compose(config, effects);
  await running(parts, effects);
  return door!.url();
}

beforeAll(async () => {
  await stack.createAllTopics();
  controls = await Promise.all([aControl(), aControl()]);
  doors = await Promise.all([aDoor(), aDoor()]);
}, LONG);
afterAll(async () => {
  for (const stop of open.toReversed()) await stop();
}, LONG);

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly body: Readonly<Record<string, unknown>>;
}

async function call(
  [method, url]: readonly [method: string, url: string],
  key: string,
  body?: unknown,
): Promise<Answer> {
  const response = await fetch(url, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const { status } = response;
  return { status, text, body: JSON.parse(text) as Answer["body"] };
}

/** Asks the replicas of control in turn, until one of them is the writer. */
function write(
  [method, path]: readonly [method: string, path: string],
  body?: unknown,
): Promise<Answer> {
  return waitFor(async () => {
    for (const url of controls) {
      const answer = await call([method, url + path], ADMIN_KEY, body);
      if (answer.status !== 503) return answer;
    }
    return undefined;
  });
}

async function aKey(
  fields: Readonly<Record<string, unknown>>,
): Promise<{ readonly id: string; readonly token: string }> {
  const made = await write(["POST", "/v1/keys"], { name: "tests", ...fields });
  expect(made).toMatchObject({ status: 201 });
  return made.body as { id: string; token: string };
}

let published = 0;
const anEvent = (fields: Readonly<Record<string, unknown>> = {}) => ({
  id: `evt_${(published += 1)}`,
  type: "order.paid",
  payload: {},
  ...fields,
});

const publish = (url: string, key: string, body: unknown = anEvent()) =>
  call(["POST", `${url}/v1/events`], key, body);

/** One request that the key may make, to each replica of both services. */
const replicas = (): readonly ((key: string) => Promise<Answer>)[] => [
  ...controls.map(
    (url) => (key: string) => call(["GET", `${url}/v1/endpoints`], key),
  ),
  ...doors.map((url) => (key: string) => publish(url, key)),
];

async function statuses(key: string): Promise<number[]> {
  const answers = await Promise.all(replicas().map((ask) => ask(key)));
  return answers.map(({ status }) => status);
}

test(
  "a key that one replica made is accepted by all; each refuses it once it has read that it is revoked, and not a request later",
  async () => {
    const { id, token } = await aKey({ role: "admin", tenantId: "acme" });

    await waitFor(async () =>
      (await statuses(token)).every((status) => status < 300),
    );
    const revoked = await write(["DELETE", `/v1/keys/${id}`]);
    // Behind the revocation in the same partition: who accepts this one has read both.
    const behind = await aKey({ role: "admin", tenantId: "acme" });
    const seen = await Promise.all(
      replicas().map(async (ask) => {
        await waitFor(async () => (await ask(behind.token)).status < 300, {
          everyMs: 5,
        });
        return (await ask(token)).status;
      }),
    );

    expect(seen).toEqual([401, 401, 401, 401]);

    expect(revoked.body).toMatchObject({ id, state: "revoked" });
    const told = await publish(doors[0]!, token);
    expect(told.body["errors"]).toMatchObject([{ rule: "revoked" }]);
    for (const url of controls)
      expect(
        (await call(["GET", `${url}/v1/keys/${id}`], ADMIN_KEY)).body,
      ).toMatchObject({ state: "revoked" });
  },
  LONG,
);

test(
  "a replica that starts later knows every key with its first answer, also those that were revoked",
  async () => {
    const living = await aKey({ role: "publisher", tenantId: "acme" });
    const revoked = await aKey({ role: "publisher", tenantId: "acme" });
    await write(["DELETE", `/v1/keys/${revoked.id}`]);

    const door = await aDoor();
    const control = await aControl();

    expect((await publish(door, living.token)).status).toBe(202);
    expect((await publish(door, revoked.token)).status).toBe(401);
    const asked = await call(["GET", `${control}/v1/endpoints`], living.token);
    expect(asked.status).toBe(403);
  },
  LONG,
);

test(
  "a publisher publishes and nothing else; a reader reads; neither may make keys",
  async () => {
    const publisher = await aKey({ role: "publisher", tenantId: "acme" });
    const reader = await aKey({ role: "reader", tenantId: "acme" });
    const [control = ""] = controls;
    const [door = ""] = doors;
    await waitFor(
      async () =>
        (await publish(door, publisher.token)).status === 202 &&
        (await publish(door, reader.token)).status === 403 &&
        (await call(["GET", `${control}/v1/endpoints`], reader.token))
          .status === 200,
    );

    const outcomes: Record<string, readonly number[]> = {};
    for (const [method, path] of [
      ["GET", "/v1/endpoints"],
      ["POST", "/v1/endpoints"],
      ["GET", "/v1/keys"],
      ["POST", "/v1/keys"],
      ["GET", "/v1/status"],
    ] as const)
      outcomes[`${method} ${path}`] = [
        await call([method, control + path], publisher.token),
        await call([method, control + path], reader.token),
      ].map(({ status }) => status);

    expect(outcomes).toEqual({
      "GET /v1/endpoints": [403, 200],
      "POST /v1/endpoints": [403, 403],
      "GET /v1/keys": [403, 403],
      "POST /v1/keys": [403, 403],
      "GET /v1/status": [403, 403],
    });
  },
  LONG,
);

test(
  "the door gives each event the tenant of the key, and accepts none of another",
  async () => {
    const { token } = await aKey({ role: "publisher", tenantId: "acme" });
    const [door = ""] = doors;
    await waitFor(async () => (await publish(door, token)).status === 202);
    const mine = anEvent();
    const spelt = anEvent({ tenantId: "acme" });

    const accepted = await publish(door, token, { events: [mine, spelt] });
    const refused = await publish(door, token, {
      events: [anEvent({ id: "refused_1" }), anEvent({ tenantId: "beta" })],
    });

    expect(accepted.body["events"]).toEqual([
      { id: mine.id, tenantId: "acme" },
      { id: spelt.id, tenantId: "acme" },
    ]);
    expect(refused).toMatchObject({
      status: 400,
      body: { errors: [{ field: "events[1].tenantId", rule: "own" }] },
    });
    const events = await eventsInKafka();
    expect(events.get(mine.id)?.tenantId).toBe("acme");
    expect([...events.keys()]).not.toContain("refused_1");
    expect(new Set([...events.values()].map((each) => each.tenantId))).toEqual(
      new Set(["acme"]),
    );
  },
  LONG,
);

async function eventsInKafka(): Promise<ReadonlyMap<string, WebhookEvent>> {
  const effects = testEffects();
  const kafka = stack.kafka();
  const schemas = createSchemas({ ...effects, kafka, prefix: stack.prefix });
  await schemas.start();
  try {
    const decode = schemas.decoderOf("events");
    const records = await readTopics(kafka, [`${stack.prefix}events`]);
    const events = records.map((record) => {
      const decoded = decode(record);
      if (decoded.kind !== "decoded") throw new Error(decoded.kind);
      return decoded.value;
    });
    return new Map(events.map((event) => [event.id, event]));
  } finally {
    await schemas.stop(Date.now() + 5_000);
  }
}

test(
  "a key beyond its limit waits, and others do not",
  async () => {
    const { token } = await aKey({
      role: "publisher",
      tenantId: "acme",
      limitPerSecond: 0.001,
      limitBurst: 1,
    });
    const other = await aKey({ role: "publisher", tenantId: "acme" });
    const [door = ""] = doors;
    await waitFor(
      async () => (await publish(door, other.token)).status === 202,
    );
    await waitFor(async () => (await publish(door, token)).status !== 401);

    const refused = await publish(door, token);

    expect(refused).toMatchObject({
      status: 429,
      body: { type: "urn:postrider:problem:limited" },
    });
    expect((await publish(door, other.token)).status).toBe(202);
    await waitFor(async () => (await publish(doors[1]!, token)).status === 202);
  },
  LONG,
);

test(
  "no token, and no part of one, is in Kafka or in a log",
  async () => {
    const { id, token } = await aKey({ role: "publisher", tenantId: "acme" });
    const [door = ""] = doors;
    await waitFor(async () => (await publish(door, token)).status === 202);
    await write(["DELETE", `/v1/keys/${id}`]);
    const secret = token.slice(`prk_${id}_`.length);

    const records = await readTopics(
      stack.kafka(),
      ["control", "audit", "schemas"].map((name) => stack.prefix + name),
    );

    expect(secret).toHaveLength(43);
    const found = records.filter(({ key, value, headers }) =>
      Buffer.concat([
        key ?? Buffer.alloc(0),
        value ?? Buffer.alloc(0),
        ...Object.values(headers).flat(),
      ]).includes(secret),
    );
    expect(found).toEqual([]);
    const audited = records.filter(
      ({ topic, key }) =>
        topic === `${stack.prefix}audit` && String(key) === id,
    );
    expect(audited).toHaveLength(2);
    expect(JSON.stringify(logs.map(({ lines }) => lines))).not.toContain(
      secret,
    );
  },
  LONG,
);

test("the door has one route, for publishers and administrators, and two that describe it for anyone", () => {
  const { door } = ingestService.compose(
    ingestService.readIngestConfig(ENV),
    testEffects(),
  );

  expect(
    door?.routes
      .filter(({ method }) => method !== "HEAD")
      .map(({ method, url, access }) => ({ method, url, access })),
  ).toEqual([
    {
      method: "POST",
      url: "/v1/events",
      access: { roles: ["publisher", "admin"], isForTenants: true },
    },
    { method: "GET", url: "/openapi.json", access: "everyone" },
    { method: "GET", url: "/docs", access: "everyone" },
  ]);
});
