/** Control on a real Kafka and ClickHouse, through its own composition and over real HTTP. */
import { beforeAll, expect, test } from "@jest/globals";
import {
  controlEntry,
  secretAad,
  type Endpoint,
  type Signal,
} from "@postrider/core";
import { createTable, topicName, type RawRecord } from "@postrider/messaging";
import {
  composeLifecycle,
  createKeyRing,
  parseEncryptionKeys,
} from "@postrider/runtime";
import { publicKeyOf } from "@postrider/signing";
import {
  anApiKey,
  anEndpoint,
  aSignal,
  nextSchemas,
  readTopics,
  useStack,
  waitFor,
} from "@postrider/testkit";
import {
  accessTo,
  CONTROL_TOPICS,
  isOwner,
  untilOwner,
  useControl,
  type Ask,
} from "../fixtures/running-control.ts";
import type { EndpointView } from "./endpoints/endpoint.ts";
import type { EndpointPage } from "./endpoints/endpoint-view.ts";
import { keyEntry, type ProblemDocument } from "@postrider/http";

const stack = useStack();
const control = useControl(stack);
const LONG = 120_000;

beforeAll(async () => {
  await stack.createTopics(...CONTROL_TOPICS);
});

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

/** Gives the test its own access to the topics. */
async function startTopics(more: Parameters<typeof accessTo>[1] = {}) {
  const { parts, output, effects, ...access } = accessTo(stack, more);
  const whole = composeLifecycle(parts, effects);
  await whole.start();
  control.onEnd(async () => {
    await whole.stop(Date.now() + 5_000);
  });
  return {
    ...access,
    effects,
    output,
    signal: async (signal: Partial<Signal>): Promise<void> => {
      const value = aSignal({ kind: "gone", ...signal });
      await output.send([{ topic: "signals", key: value.endpointId, value }]);
    },
  };
}

test(
  "an endpoint is created, read, changed under its version, and deleted",
  async () => {
    const { ask } = await control.startOwner();

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
    const { ask, effects } = await control.start();
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
    const { ask } = await control.start();
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
    const first = await control.startOwner();
    const { secret, ...made } = await create(first.ask, {
      tenantId: "restart",
      headers: { authorization: "Bearer theirs" },
    });
    await first.stop();

    const { ask, effects } = await control.startOwner();
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
  const ring = createKeyRing(parseEncryptionKeys(control.encryptionKeys));
  const aad = secretAad(endpoint.tenantId, id, sealed.id);
  expect(ring.open(sealed, aad).toString()).toBe(secret);
  expect(() => ring.open(sealed, secretAad("other", id, sealed.id))).toThrow();
}

test(
  "of two replicas one writes and both read; when it stops, the other takes over",
  async () => {
    const one = await control.start();
    const two = await control.start();
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
    await untilOwner(follower.ask);
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
    const { ask } = await control.startOwner();
    const made = await create(ask);
    const path = `/v1/endpoints/${made.id}`;
    const { kafka } = await startTopics();
    const usurper = await kafka.fencedProducer(`${stack.prefix}control`);
    control.onEnd(() => usurper.disconnect());

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
    await untilOwner(ask);
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
    const { ask, effects } = await control.startOwner();
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
    const first = await control.startOwner();
    const { id: endpointId } = await create(first.ask);
    await first.stop();
    const { signal } = await startTopics();
    await signal({ endpointId, endpointVersion: 1 });

    const { ask } = await control.startOwner();

    await waitFor(
      async () =>
        (await ask(`GET /v1/endpoints/${endpointId}`)).body.state ===
        "disabled",
    );
  },
  LONG,
);

test(
  "what a later version wrote to endpoints, control and signals is read, and the later version reads what this one writes",
  async () => {
    const later = await startTopics({ ownSchemas: nextSchemas() });
    const written = anEndpoint({ id: "ep_later", description: "of the next" });
    const key = anApiKey({ id: "00000000000000af", name: "of the next" });
    await later.output.send([
      { topic: "endpoints", key: written.id, value: written },
      {
        topic: "control",
        key: keyEntry(key.id),
        value: controlEntry({ key }),
      },
    ]);

    const { ask } = await control.startOwner();
    const path = `/v1/endpoints/${written.id}`;
    const read = await ask(`GET ${path}`);
    const keyRead = await ask<{ name: string }>(`GET /v1/keys/${key.id}`);
    const changed = await ask(
      `PATCH ${path}`,
      { timeoutMs: 5_000 },
      { "if-match": '"1"' },
    );
    await ask(`DELETE /v1/keys/${key.id}`);
    await later.signal({ endpointId: written.id, endpointVersion: 2 });
    await waitFor(
      async () => (await ask(`GET ${path}`)).body.state === "disabled",
    );

    expect(read.body).toMatchObject({ description: "of the next", version: 1 });
    expect(keyRead.body).toMatchObject({ name: "of the next" });
    expect(changed.status).toBe(200);
    // The last that each topic has of the two, as the later version reads it.
    const lastOf = async (
      topic: "endpoints" | "control" | "audit",
      of: string,
    ) => {
      const raws = await readTopics(later.kafka, [
        topicName(stack.prefix, topic),
      ]);
      const raw = raws.findLast((one) => String(one.key) === of);
      const decoded = later.schemas.decoderOf(topic)(raw!);
      return decoded.kind === "decoded" ? decoded.value : decoded;
    };
    expect(await lastOf("endpoints", written.id)).toMatchObject({
      description: "of the next",
      timeoutMs: 5_000,
      version: 3,
    });
    expect(await lastOf("control", keyEntry(key.id))).toMatchObject({
      key: { name: "of the next", revokedAt: expect.any(Number) as unknown },
    });
    expect(await lastOf("audit", key.id)).toMatchObject({ action: "revoked" });
  },
  LONG,
);
