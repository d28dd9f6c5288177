/** Control on a real Kafka and ClickHouse, through its own composition and over real HTTP. */
import { randomBytes } from "node:crypto";
import { afterEach, beforeAll, expect, test } from "@jest/globals";
import { secretAad, type Endpoint, type Signal } from "@postrider/core";
import {
  createKafka,
  createOutput,
  createDeadLetterOf,
  createSchemas,
  createTable,
  topicName,
  type RawRecord,
} from "@postrider/messaging";
import {
  composeLifecycle,
  createKeyRing,
  parseEncryptionKeys,
} from "@postrider/runtime";
import { publicKeyOf } from "@postrider/signing";
import { aSignal, testEffects, useStack, waitFor } from "@postrider/testkit";
import { compose } from "./compose.ts";
import { readControlConfig } from "./config.ts";
import type { EndpointView } from "./endpoints/endpoint.ts";
import type { EndpointPage } from "./endpoints/endpoint-list.ts";
import type { ProblemDocument } from "@postrider/http";

const stack = useStack();
const KEY = "an-admin-key-of-the-test";
const ENCRYPTION_KEYS = `k1:${randomBytes(32).toString("base64")}`;
const LONG = 120_000;

beforeAll(async () => {
  await stack.createTopics(
    "endpoints",
    "control",
    "schemas",
    "signals",
    "dead-letters",
  );
});

/** What the tests started; stopped in reverse order. */
const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of open.splice(0).toReversed()) await stop();
});

async function startControl() {
  const effects = testEffects();
  const control = compose(
    readControlConfig({
      KAFKA_BROKERS: stack.brokers.join(","),
      POSTRIDER_TOPIC_PREFIX: stack.prefix,
      POSTRIDER_ENCRYPTION_KEYS: ENCRYPTION_KEYS,
      POSTRIDER_ADMIN_KEY: KEY,
      CLICKHOUSE_URL: stack.clickhouseUrl,
      POSTRIDER_CLICKHOUSE_DATABASE: stack.database,
      POSTRIDER_SESSION_TIMEOUT: `${stack.sessionTimeoutMs}ms`,
      POSTRIDER_PORT: "0",
    }),
    effects,
  );
  const whole = composeLifecycle(control.parts, effects);
  let isStopped = false;
  const stop = async (): Promise<void> => {
    if (!isStopped) await whole.stop(Date.now() + 10_000);
    isStopped = true;
  };
  open.push(stop);
  await whole.start();
  return { control, effects, stop, ask: asker(control.url()) };
}

/** Starts the only replica and waits until it may write: a start goes on after a while though it is not the owner yet. */
async function startOwner() {
  const started = await startControl();
  await waitFor(() => isOwner(started.ask));
  return started;
}

interface Reply<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly body: T;
}

/** `ask("PATCH /v1/endpoints/x", {…}, { "if-match": '"1"' })`. */
function asker(url: string) {
  return async <T = EndpointView & ProblemDocument>(
    what: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Reply<T>> => {
    const [method = "GET", path = "/"] = what.split(" ");
    const answer = await fetch(`${url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${KEY}`,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    return {
      status: answer.status,
      headers: answer.headers,
      text,
      body: (text === "" ? null : JSON.parse(text)) as T,
    };
  };
}
type Ask = ReturnType<typeof asker>;

function aCreation(fields: Readonly<Record<string, unknown>> = {}) {
  return {
    tenantId: "acme",
    url: "https://example.com/hook",
    eventTypes: ["order.*"],
    ...fields,
  };
}

type WithSecret = EndpointView & { readonly secret: string };

async function create(
  ask: Ask,
  fields: Readonly<Record<string, unknown>> = {},
): Promise<WithSecret> {
  const made = await ask<WithSecret>("POST /v1/endpoints", aCreation(fields));
  if (made.status !== 201) throw new Error(`not created: ${made.text}`);
  return made.body;
}

async function isOwner(ask: Ask): Promise<boolean> {
  return (await ask<{ isOwner: boolean }>("GET /v1/status")).body.isOwner;
}

/** Gives the test its own access to the topics. */
async function startTopics() {
  const effects = testEffects();
  const kafka = createKafka(
    { brokers: stack.brokers, clientId: "test" },
    effects,
  );
  const schemas = createSchemas({ ...effects, kafka, prefix: stack.prefix });
  const output = createOutput({
    ...effects,
    kafka,
    encode: schemas.encode,
    prefix: stack.prefix,
    deadLetterOf: createDeadLetterOf({ stage: "test", clock: effects.clock }),
  });
  const whole = composeLifecycle([schemas, output], effects);
  await whole.start();
  open.push(async () => {
    await whole.stop(Date.now() + 5_000);
  });
  return {
    kafka,
    effects,
    schemas,
    signal: async (signal: Partial<Signal>): Promise<void> => {
      const value = aSignal({ kind: "gone", ...signal });
      await output.send([{ topic: "signals", key: value.endpointId, value }]);
    },
  };
}

test(
  "an endpoint is created, read, changed under its version, and deleted",
  async () => {
    const { ask } = await startOwner();

    const made = await ask("POST /v1/endpoints", aCreation());
    expect(made.status).toBe(201);
    expect(made.body.id).toMatch(/^ep_[A-Za-z0-9_-]{24}$/);
    expect(made.body).toMatchObject({ version: 1, state: "enabled" });
    expect(made.body).toHaveProperty(
      "secret",
      expect.stringMatching(/^whsec_[A-Za-z0-9+/]{32}$/),
    );
    const path = `/v1/endpoints/${made.body.id}`;
    expect(made.headers.get("location")).toBe(path);

    const got = await ask(`GET ${path}`);
    expect(got.headers.get("etag")).toBe('"1"');
    expect(got.body).toEqual({ ...made.body, secret: undefined });

    const change = { description: "orders", timeoutMs: 5000 };
    const missing = await ask(`PATCH ${path}`, change);
    expect(missing.status).toBe(428);
    const fresh = await ask(`PATCH ${path}`, change, { "if-match": '"1"' });
    expect(fresh.status).toBe(200);
    expect(fresh.headers.get("etag")).toBe('"2"');
    expect(fresh.body).toMatchObject({ ...change, version: 2 });
    const stale = await ask(`PATCH ${path}`, change, { "if-match": '"1"' });
    expect(stale.status).toBe(412);
    expect(stale.body.errors).toMatchObject([{ field: "if-match" }]);
    const invalid = await ask(
      `PATCH ${path}`,
      { url: "http://127.0.0.1/" },
      {
        "if-match": '"2"',
      },
    );
    expect(invalid.status).toBe(400);
    expect(invalid.body.errors).toMatchObject([{ field: "url" }]);

    const early = await ask(`DELETE ${path}`, undefined, { "if-match": '"1"' });
    expect(early.status).toBe(412);
    const deleted = await ask(`DELETE ${path}`, undefined, { "if-match": "2" });
    expect(deleted.status).toBe(204);
    expect((await ask(`GET ${path}`)).status).toBe(404);
    const again = await ask(`DELETE ${path}`, undefined, { "if-match": "2" });
    expect(again.status).toBe(404);
  },
  LONG,
);

test(
  "a secret is rotated under its version: the new one is shown once, and the old one stays for the overlap",
  async () => {
    const { ask, effects } = await startControl();
    const made = await create(ask);
    const path = `/v1/endpoints/${made.id}`;
    const rotate = async (body?: unknown, headers = { "if-match": "*" }) =>
      await ask<WithSecret & ProblemDocument>(
        `POST ${path}/rotate-secret`,
        body,
        headers,
      );

    const missing = await ask(`POST ${path}/rotate-secret`);
    const stale = await rotate({}, { "if-match": '"7"' });
    const invalid = await rotate({ overlapMs: "24h" });
    expect([missing.status, stale.status, invalid.status]).toEqual([
      428, 412, 400,
    ]);
    expect(invalid.body.errors).toMatchObject([{ field: "overlapMs" }]);

    const rotated = await rotate(undefined, { "if-match": '"1"' });
    expect(rotated.status).toBe(200);
    expect(rotated.headers.get("etag")).toBe('"2"');
    const { secret, ...shown } = rotated.body;
    expect(secret).toMatch(/^whsec_/);
    expect(secret).not.toBe(made.secret);
    expect(shown.secrets).toMatchObject([
      { id: made.secrets[0]?.id, expiresAt: expect.any(String) },
      { expiresAt: null, publicKey: null },
    ]);
    expect((await ask(`GET ${path}`)).body).toEqual(shown);

    const ended = await rotate({ overlapMs: 0, secret: "their own secret" });
    expect(ended.body).toMatchObject({
      version: 3,
      secret: "their own secret",
    });
    expect(ended.body.secrets).toHaveLength(1);
    for (const _ of [2, 3, 4, 5]) expect((await rotate()).status).toBe(200);
    const sixth = await rotate();
    expect(sixth.status).toBe(409);
    expect(sixth.body.errors).toMatchObject([
      { field: "secrets", rule: "max" },
    ]);

    const gone = await ask(
      "POST /v1/endpoints/ep_none/rotate-secret",
      {},
      { "if-match": "*" },
    );
    expect(gone.status).toBe(404);
    const { text } = await ask(`GET ${path}`);
    for (const hidden of [secret, "their own secret"]) {
      expect(text).not.toContain(hidden);
      expect(JSON.stringify(effects.log.lines)).not.toContain(hidden);
    }
  },
  LONG,
);

test(
  "an ed25519 key is made, its public key is shown in every answer, and hmac-hex refuses it",
  async () => {
    const { ask } = await startControl();
    const made = await create(ask, { secretType: "ed25519" });
    const path = `/v1/endpoints/${made.id}`;

    const [got, list, refused] = [
      await ask(`GET ${path}`),
      await ask<EndpointPage>("GET /v1/endpoints"),
      await ask(
        `PATCH ${path}`,
        { signing: ["hmac-hex"] },
        { "if-match": "*" },
      ),
    ];
    const other = await create(ask, { signing: ["standard", "hmac-hex"] });

    const publicKey = publicKeyOf(made.secret);
    expect(publicKey).toMatch(/^whpk_/);
    expect(got.body.secrets).toMatchObject([{ publicKey }]);
    expect(
      list.body.endpoints.find(({ id }) => id === made.id)?.secrets,
    ).toMatchObject([{ publicKey }]);
    expect(refused.status).toBe(400);
    expect(refused.body.errors).toMatchObject([
      { field: "signing", rule: "hmac_secret" },
    ]);
    expect(made.signing).toEqual(["standard"]);
    expect(other.signing).toEqual(["standard", "hmac-hex"]);
  },
  LONG,
);

test(
  "a restart reads the table back, and no answer or record ever shows a secret again",
  async () => {
    const first = await startOwner();
    const { secret, ...made } = await create(first.ask, {
      tenantId: "restart",
      headers: { authorization: "Bearer theirs" },
    });
    await first.stop();

    const { ask, effects } = await startOwner();
    const path = `/v1/endpoints/${made.id}`;
    const replies = [
      await ask(`GET ${path}`),
      await ask("GET /v1/endpoints?tenantId=restart"),
      await ask(`PATCH ${path}`, { description: "x" }, { "if-match": "*" }),
      await ask(`POST ${path}/enable`),
    ];

    expect(replies[0]?.body).toEqual(made);
    const list = replies[1]?.body as unknown as EndpointPage;
    expect(list.endpoints.map(({ id }) => id)).toEqual([made.id]);
    const shown = replies.map((reply) => reply.text).join();
    expect(shown).not.toContain(secret);
    expect(shown).not.toContain("theirs");
    expect(shown).not.toContain("ciphertext");
    expect(
      JSON.stringify([first.effects.log.lines, effects.log.lines]),
    ).not.toContain(secret);
    await expectSealed(made.id, secret);
  },
  LONG,
);

/** Expects the record to hold the secret only in sealed form. */
async function expectSealed(id: string, secret: string): Promise<void> {
  const { kafka, effects, schemas } = await startTopics();
  const records: RawRecord[] = [];
  const table = createTable<Endpoint>({
    ...effects,
    kafka,
    topic: topicName(stack.prefix, "endpoints"),
    decode: (record) => {
      records.push(record);
      return schemas.decoderOf("endpoints")(record);
    },
  });
  await table.start();
  const endpoint = table.get(id);
  await table.stop(0);

  const raw = Buffer.concat(
    records.map(({ value }) => value ?? Buffer.alloc(0)),
  );
  expect(raw.length).toBeGreaterThan(0);
  expect(raw.includes(secret)).toBe(false);
  const [sealed] = endpoint?.secrets ?? [];
  if (endpoint === undefined || sealed === undefined)
    throw new Error("no secret");
  const ring = createKeyRing(parseEncryptionKeys(ENCRYPTION_KEYS));
  const aad = secretAad(endpoint.tenantId, id, sealed.id);
  expect(ring.open(sealed, aad).toString()).toBe(secret);
  expect(() => ring.open(sealed, secretAad("other", id, sealed.id))).toThrow();
}

test(
  "of two replicas one writes and both read; when it stops, the other takes over",
  async () => {
    const one = await startControl();
    const two = await startControl();
    const [owner, follower] = await waitFor(
      async () => {
        const [first, second] = [
          await isOwner(one.ask),
          await isOwner(two.ask),
        ];
        if (first === second) return null;
        return first ? [one, two] : [two, one];
      },
      { what: "exactly one owner" },
    ).then(([a, b]) => [a!, b!] as const);

    const refused = await follower.ask("POST /v1/endpoints", aCreation());
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).toBe("1");
    expect(refused.body.type).toBe("urn:postrider:problem:not-owner");
    const made = await create(owner.ask);
    const path = `/v1/endpoints/${made.id}`;
    await waitFor(
      async () => (await follower.ask(`GET ${path}`)).status === 200,
    );

    await owner.stop();
    await waitFor(() => isOwner(follower.ask));
    const changed = await follower.ask(
      `PATCH ${path}`,
      { description: "by the new owner" },
      { "if-match": '"1"' },
    );
    expect(changed.body).toMatchObject({ version: 2 });
  },
  LONG,
);

test(
  "an owner that was fenced writes nothing, says so, and comes back behind a heartbeat",
  async () => {
    const { ask } = await startOwner();
    const made = await create(ask);
    const path = `/v1/endpoints/${made.id}`;
    const { kafka } = await startTopics();
    const usurper = await kafka.fencedProducer(`${stack.prefix}control`);
    open.push(() => usurper.disconnect());

    const fenced = await ask(
      `PATCH ${path}`,
      { description: "lost" },
      {
        "if-match": "1",
      },
    );
    const meanwhile = await ask(`GET ${path}`);

    expect(fenced.status).toBe(503);
    expect(fenced.headers.get("retry-after")).toBe("1");
    expect(meanwhile.body).toMatchObject({ version: 1, description: "" });
    await waitFor(() => isOwner(ask));
    const changed = await ask(
      `PATCH ${path}`,
      { description: "kept" },
      {
        "if-match": "1",
      },
    );
    expect(changed.body).toMatchObject({ version: 2, description: "kept" });
  },
  LONG,
);

test(
  "a 410 disables, one command enables, and a signal for an older version is ignored",
  async () => {
    const { ask, effects } = await startOwner();
    const { signal } = await startTopics();
    const { id: endpointId } = await create(ask);
    const path = `/v1/endpoints/${endpointId}`;

    await signal({ endpointId, endpointVersion: 1, detail: "answered 410" });
    const disabled = await waitFor(async () => {
      const { body } = await ask(`GET ${path}`);
      return body.state === "disabled" ? body : null;
    });
    expect(disabled).toMatchObject({
      version: 2,
      stateReason: "gone: answered 410",
    });

    const enabled = await ask(`POST ${path}/enable`);
    expect(enabled.body).toMatchObject({
      state: "enabled",
      stateReason: null,
      version: 3,
    });

    await signal({ endpointId, endpointVersion: 2 });
    await waitFor(() =>
      effects.log
        .of("signal.handled")
        .some(
          ({ fields }) =>
            fields["endpointId"] === endpointId &&
            fields["endpointVersion"] === 2,
        ),
    );
    expect((await ask(`GET ${path}`)).body).toMatchObject({
      state: "enabled",
      version: 3,
    });
  },
  LONG,
);

test(
  "a signal that came while nobody was the owner is not lost",
  async () => {
    const first = await startOwner();
    const { id: endpointId } = await create(first.ask);
    await first.stop();
    const { signal } = await startTopics();
    await signal({ endpointId, endpointVersion: 1 });

    const { ask } = await startOwner();

    await waitFor(
      async () =>
        (await ask(`GET /v1/endpoints/${endpointId}`)).body.state ===
        "disabled",
    );
  },
  LONG,
);
