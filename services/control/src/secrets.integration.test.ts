/** Encryption keys that change while control runs, and endpoints' secrets that are sealed anew, on a real Kafka. */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import {
  headerAad,
  secretAad,
  type AuditEntry,
  type Endpoint,
} from "@postrider/core";
import { topicName } from "@postrider/messaging";
import {
  composeLifecycle,
  createKeyRing,
  parseEncryptionKeys,
} from "@postrider/runtime";
import { anEndpoint, readTopics, useStack, waitFor } from "@postrider/testkit";
import {
  accessTo,
  CONTROL_TOPICS,
  useControl,
  type Ask,
} from "../fixtures/running-control.ts";

const stack = useStack();
const control = useControl(stack);
const LONG = 120_000;
const folder = mkdtempSync(join(tmpdir(), "postrider-keys-"));
const file = join(folder, "keys");
const [K1, K2] = ["k1", "k2"].map(
  (kid) => `${kid}:${randomBytes(32).toString("base64")}`,
) as [string, string];

beforeAll(async () => {
  await stack.createTopics(...CONTROL_TOPICS);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface KeyUse {
  readonly newest: string;
  readonly remaining: number;
  readonly missing: number;
  readonly plainHeaders: number;
  readonly keys: readonly {
    readonly kid: string;
    readonly secrets: number;
    readonly isInRing: boolean;
  }[];
}
interface Round {
  readonly endpoints: number;
  readonly secrets: number;
  readonly headers: number;
  readonly failed: readonly { readonly endpointId: string }[];
  readonly next: string | null;
}
interface Made {
  readonly id: string;
  readonly secret: string;
}

/** The keys come from a file that the test writes. */
const startOwner = () =>
  control.startOwner({
    POSTRIDER_ENCRYPTION_KEYS: "",
    POSTRIDER_ENCRYPTION_KEYS_FILE: file,
  });

const useOf = async (ask: Ask): Promise<KeyUse> =>
  (await ask<KeyUse>("GET /v1/secrets")).body;

/** Writes the file and waits until control has read it. */
async function setKeys(ask: Ask, ...keys: readonly string[]): Promise<void> {
  writeFileSync(file, keys.join(","));
  const kids = keys.map((key) => key.split(":")[0]!);
  await waitFor(async () => {
    const known = (await useOf(ask)).keys.filter(({ isInRing }) => isInRing);
    return kids.join() === known.map(({ kid }) => kid).join();
  });
}

async function create(ask: Ask, fields: object = {}): Promise<Made> {
  const made = await ask<Made>("POST /v1/endpoints", {
    tenantId: "acme",
    url: "https://example.com/hook",
    eventTypes: ["order.*"],
    ...fields,
  });
  expect(made).toMatchObject({ status: 201 });
  return made.body;
}

/** The records of a topic, decoded, in order. */
async function recordsOf<T>(topic: "endpoints" | "audit"): Promise<T[]> {
  const { parts, effects, schemas, kafka } = accessTo(stack);
  const whole = composeLifecycle(parts, effects);
  await whole.start();
  try {
    const raws = await readTopics(kafka, [topicName(stack.prefix, topic)]);
    return raws.flatMap((raw) => {
      const decoded = schemas.decoderOf(topic)(raw);
      return decoded.kind === "decoded" ? [decoded.value as T] : [];
    });
  } finally {
    await whole.stop(Date.now() + 5_000);
  }
}

/** As a control from before sealed headers did. */
async function writeEndpoint(value: Endpoint): Promise<void> {
  const { parts, effects, output } = accessTo(stack);
  const whole = composeLifecycle(parts, effects);
  await whole.start();
  try {
    await output.send([{ topic: "endpoints", key: value.id, value }]);
  } finally {
    await whole.stop(Date.now() + 5_000);
  }
}

const stored = async (id: string): Promise<Endpoint> =>
  (await recordsOf<Endpoint>("endpoints")).findLast((one) => one.id === id)!;

function opened(endpoint: Endpoint, keys: string): string[] {
  const ring = createKeyRing(parseEncryptionKeys(keys));
  return endpoint.secrets.map((secret) =>
    ring
      .open(secret, secretAad(endpoint.tenantId, endpoint.id, secret.id))
      .toString(),
  );
}

test(
  "keys change while control runs: the secrets are sealed anew, and the old key is no longer needed",
  async () => {
    writeFileSync(file, K1);
    const { ask } = await startOwner();
    const first = await create(ask);
    const own = await create(ask, { secret: "a secret of their own" });
    const rotated = await ask<Made>(
      `POST /v1/endpoints/${own.id}/rotate-secret`,
      { overlapMs: 600_000 },
      { "if-match": "*" },
    );
    const before = await ask(`GET /v1/endpoints/${own.id}`);

    await setKeys(ask, K1, K2);
    await setKeys(ask, K2, K1);
    const fresh = await create(ask);
    expect(await useOf(ask)).toMatchObject({ remaining: 3, missing: 0 });
    const round = await ask<Round>(
      "POST /v1/secrets/reencrypt",
      {},
      { "x-audit-reason": "a new key" },
    );

    expect(round.body).toMatchObject({ endpoints: 2, secrets: 3, failed: [] });
    expect(await useOf(ask)).toMatchObject({
      newest: "k2",
      remaining: 0,
      keys: [
        { kid: "k2", secrets: 4 },
        { kid: "k1", secrets: 0 },
      ],
    });
    // k1 is gone, and everything opens all the same.
    expect(opened(await stored(first.id), K2)).toEqual([first.secret]);
    expect(opened(await stored(fresh.id), K2)).toEqual([fresh.secret]);
    expect(opened(await stored(own.id), K2)).toEqual([
      "a secret of their own",
      rotated.body.secret,
    ]);
    // What people and programs see of the endpoint is the same, its version too.
    const after = await ask(`GET /v1/endpoints/${own.id}`);
    expect(after.body).toEqual(before.body);
    expect(after.headers.get("etag")).toBe('"2"');
    const trail = (await recordsOf<AuditEntry>("audit")).filter(
      ({ subjectId, action }) =>
        subjectId === first.id && action === "secrets_reencrypted",
    );
    expect(trail).toMatchObject([{ actor: "admin", why: "a new key" }]);
    expect(JSON.parse(trail[0]!.detail)).toMatchObject({
      secrets: { from: [{ kid: "k1" }], to: [{ kid: "k2" }] },
    });
  },
  LONG,
);

test(
  "a re-encryption that stops half-way is gone on with by the next owner, and changes meanwhile are kept",
  async () => {
    writeFileSync(file, K1);
    const one = await startOwner();
    const made: Made[] = [];
    for (let nth = 0; nth < 6; nth += 1) made.push(await create(one.ask));
    await setKeys(one.ask, K2, K1);
    const half = await one.ask<Round>("POST /v1/secrets/reencrypt", {
      limit: 2,
    });
    expect(half.body).toMatchObject({ endpoints: 2, secrets: 2 });
    expect(half.body.next).not.toBeNull();
    await one.stop();

    const two = await startOwner();
    expect((await useOf(two.ask)).remaining).toBeGreaterThanOrEqual(4);
    const [round, ...changed] = await Promise.all([
      two.ask<Round>("POST /v1/secrets/reencrypt"),
      ...made.map(({ id }) =>
        two.ask(
          `PATCH /v1/endpoints/${id}`,
          { description: "changed meanwhile" },
          { "if-match": '"1"' },
        ),
      ),
    ]);

    // No change was refused for its version, and none was overwritten.
    expect(changed.map(({ status }) => status)).toEqual(made.map(() => 200));
    expect(round.body).toMatchObject({ failed: [], next: null });
    for (const { id, secret } of made) {
      const after = await stored(id);
      expect(after).toMatchObject({
        version: 2,
        description: "changed meanwhile",
      });
      expect(opened(after, K2)).toEqual([secret]);
    }
  },
  LONG,
);

test(
  "a secret whose key was taken out is named and stays, and is sealed anew once the key is back",
  async () => {
    writeFileSync(file, K1);
    const { ask } = await startOwner();
    const { id, secret } = await create(ask);
    await setKeys(ask, K2);

    const round = await ask<Round>("POST /v1/secrets/reencrypt");
    const { missing, keys } = await useOf(ask);

    expect(round.body.failed).toContainEqual(
      expect.objectContaining({
        endpointId: id,
        kid: "k1",
        reason: "key_missing",
      }),
    );
    expect(missing).toBeGreaterThanOrEqual(1);
    expect(keys.at(-1)).toMatchObject({ kid: "k1", isInRing: false });
    await setKeys(ask, K2, K1);
    await ask("POST /v1/secrets/reencrypt");
    expect(opened(await stored(id), K2)).toEqual([secret]);
  },
  LONG,
);

test(
  "header values that an older version wrote are counted, are sealed by a re-encryption, and look the same before and after",
  async () => {
    // The endpoints of the tests before are sealed with either.
    writeFileSync(file, [K2, K1].join());
    const { ask } = await startOwner();
    const headers = { authorization: "Bearer hush", "x-team": "billing" };
    const made = await create(ask, { headers });
    const old = anEndpoint({ id: "ep_old", secrets: [], headers });
    await writeEndpoint(old);
    await waitFor(async () => (await useOf(ask)).plainHeaders === 2);
    const before = await ask(`GET /v1/endpoints/${old.id}`);

    const round = await ask<Round>("POST /v1/secrets/reencrypt");

    expect(round.body).toMatchObject({ headers: 2, failed: [] });
    expect(await useOf(ask)).toMatchObject({ remaining: 0, plainHeaders: 0 });
    const after = await ask(`GET /v1/endpoints/${old.id}`);
    expect(after.body).toEqual(before.body);
    expect(after.body.headers).toEqual({
      ...headers,
      authorization: "[redacted]",
    });
    for (const { id } of [made, old]) {
      const { headers: plain, sealedHeaders } = await stored(id);
      expect(plain).toEqual({});
      const ring = createKeyRing(parseEncryptionKeys(K2));
      const opened = Object.entries(sealedHeaders).map(([name, sealed]) => [
        name,
        String(ring.open(sealed, headerAad("acme", id, name))),
      ]);
      expect(Object.fromEntries(opened)).toEqual(headers);
    }
    const [entry] = (await recordsOf<AuditEntry>("audit")).filter(
      ({ subjectId }) => subjectId === old.id,
    );
    expect(entry).toMatchObject({ action: "secrets_reencrypted" });
    expect(JSON.parse(entry!.detail)).toMatchObject({
      headers: {
        from: [{ kid: null }, { kid: null }],
        to: [{ kid: "k2" }, { kid: "k2" }],
      },
    });
  },
  LONG,
);
