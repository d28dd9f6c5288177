import { expect, test } from "@jest/globals";
import {
  headerAad,
  SEALED_HEADERS,
  secretAad,
  type Endpoint,
} from "@postrider/core";
import { createKeyRing, type EncryptionKey } from "@postrider/runtime";
import { anEndpoint, fakeClock, testEffects } from "@postrider/testkit";
import { ownCause } from "../audit/cause.ts";
import { createSecretKeys } from "./reencryption.ts";

const keyOf = (kid: string, byte: number): EncryptionKey => ({
  kid,
  key: Buffer.alloc(32, byte),
});
const K1 = keyOf("k1", 1);
const K2 = keyOf("k2", 2);
const CAUSE = ownCause("the test");
const ALL = { after: "", limit: 100 };
const clock = fakeClock();

/** An endpoint whose secrets are `KEY: text` pairs, sealed with a ring of that key alone. */
function sealedBy(
  id: string,
  ...secrets: readonly (readonly [EncryptionKey, string, number?])[]
): Endpoint {
  return anEndpoint({
    id,
    secrets: secrets.map(([key, text, expiresAt], at) => {
      const secretId = `sec_${at}`;
      const aad = secretAad("acme", id, secretId);
      return {
        id: secretId,
        ...createKeyRing([key]).seal(Buffer.from(text), aad),
        createdAt: 1,
        expiresAt: expiresAt ?? null,
      };
    }),
    tenantId: "acme",
  });
}

/** Endpoints in memory, and the ids of those that were written. */
function aStore(
  keys: readonly EncryptionKey[],
  ...endpoints: readonly Endpoint[]
) {
  const table = new Map(endpoints.map((each) => [each.id, each]));
  const written: string[] = [];
  const keyRing = createKeyRing(keys);
  const secretKeys = createSecretKeys({
    ...testEffects({ clock }),
    keyRing,
    table: { get: (id) => table.get(id), entries: () => table.entries() },
    writer: {
      async reseal(id, _cause, seal) {
        const before = table.get(id);
        if (before === undefined) return false;
        const after = seal(before);
        if (after === before) return false;
        table.set(id, after);
        written.push(id);
        return true;
      },
    },
  });
  const plain = (id: string): string[] =>
    table
      .get(id)!
      .secrets.map((secret) =>
        keyRing.open(secret, secretAad("acme", id, secret.id)).toString(),
      );
  return { secretKeys, written, table, plain };
}

test("every secret of an older key is sealed with the newest, and nothing else of the endpoint changes", async () => {
  const before = sealedBy("ep_1", [K1, "old"], [K2, "new"]);
  const { secretKeys, table, plain } = aStore([K2, K1], before);

  const round = await secretKeys.reencrypt(ALL, CAUSE);

  expect(round).toEqual({
    newest: "k2",
    endpoints: 1,
    secrets: 1,
    headers: 0,
    failed: [],
    next: null,
  });
  const after = table.get("ep_1")!;
  expect(after.secrets.map(({ kid }) => kid)).toEqual(["k2", "k2"]);
  expect(after.secrets[1]).toBe(before.secrets[1]);
  expect(plain("ep_1")).toEqual(["old", "new"]);
  expect({ ...after, secrets: [] }).toEqual({ ...before, secrets: [] });
});

test("a run that is repeated writes nothing", async () => {
  const { secretKeys, written } = aStore([K2, K1], sealedBy("ep_1", [K1, "s"]));
  await secretKeys.reencrypt(ALL, CAUSE);

  const again = await secretKeys.reencrypt(ALL, CAUSE);

  expect(again).toMatchObject({ endpoints: 0, secrets: 0, next: null });
  expect(written).toEqual(["ep_1"]);
});

test("rounds go by id, and the last one has no next", async () => {
  const endpoints = ["ep_3", "ep_1", "ep_2"].map((id) =>
    sealedBy(id, [K1, "s"]),
  );
  const { secretKeys, written } = aStore([K2, K1], ...endpoints);

  const first = await secretKeys.reencrypt({ after: "", limit: 2 }, CAUSE);
  const last = await secretKeys.reencrypt(
    { after: first.next!, limit: 2 },
    CAUSE,
  );

  expect([first.next, last.next]).toEqual(["ep_2", null]);
  expect(written).toEqual(["ep_1", "ep_2", "ep_3"]);
});

test("a secret whose key is missing or wrong is told and stays, and the others of its endpoint are sealed anew", async () => {
  const wrong = sealedBy("ep_2", [keyOf("k1", 9), "wrong"]);
  const gone = sealedBy("ep_1", [keyOf("k0", 3), "gone"], [K1, "here"]);
  const { secretKeys, table } = aStore([K2, K1], gone, wrong);

  const round = await secretKeys.reencrypt(ALL, CAUSE);

  const shared = { tenantId: "acme", secretId: "sec_0", header: null };
  expect(round).toMatchObject({
    endpoints: 1,
    secrets: 1,
    failed: [
      { ...shared, endpointId: "ep_1", kid: "k0", reason: "key_missing" },
      { ...shared, endpointId: "ep_2", kid: "k1", reason: "not_authentic" },
    ],
    next: null,
  });
  expect(table.get("ep_1")!.secrets.map(({ kid }) => kid)).toEqual([
    "k0",
    "k2",
  ]);
  expect(table.get("ep_2")).toBe(wrong);
});

test("a secret that has ended is not counted, and does not fail for a lost key", async () => {
  const ended = clock.now();
  const { secretKeys } = aStore(
    [K2, K1],
    sealedBy("ep_1", [keyOf("k0", 3), "ended", ended], [K1, "s"]),
  );

  expect(secretKeys.use().keys).toMatchObject([
    { kid: "k2", isInRing: true, endpoints: 0, secrets: 0 },
    { kid: "k1", isInRing: true, endpoints: 1, secrets: 1 },
  ]);
  expect(await secretKeys.reencrypt(ALL, CAUSE)).toMatchObject({ failed: [] });
});

test("secrets are counted by the key that sealed them, missing keys last", () => {
  const { secretKeys } = aStore(
    [K2, K1],
    sealedBy("ep_1", [keyOf("k0", 3), "s"]),
    sealedBy("ep_2", [K1, "s"], [K1, "t"], [K2, "u"]),
  );

  expect(secretKeys.use().keys).toMatchObject([
    { kid: "k2", isInRing: true, endpoints: 1, secrets: 1 },
    { kid: "k1", isInRing: true, endpoints: 1, secrets: 2 },
    { kid: "k0", isInRing: false, endpoints: 1, secrets: 1 },
  ]);
});

const sealedHeader = (key: EncryptionKey, id: string, name: string) =>
  createKeyRing([key]).seal(Buffer.from("hush"), headerAad("acme", id, name));

test("header values that are plain, or of an older key, are sealed with the newest, and counted until they are", async () => {
  const before: Endpoint = {
    ...sealedBy("ep_1", [K2, "s"]),
    headers: { authorization: "hush" },
    sealedHeaders: {
      "x-old": sealedHeader(K1, "ep_1", "x-old"),
      "x-new": sealedHeader(K2, "ep_1", "x-new"),
    },
  };
  const { secretKeys, table, written } = aStore([K2, K1], before);
  const old = secretKeys.use();

  const round = await secretKeys.reencrypt(ALL, CAUSE);
  await secretKeys.reencrypt(ALL, CAUSE);

  expect(old).toMatchObject({
    plainHeaders: 1,
    keys: [
      { kid: "k2", endpoints: 1, secrets: 1, headers: 1 },
      { kid: "k1", endpoints: 1, secrets: 0, headers: 1 },
    ],
  });
  expect(round).toMatchObject({ endpoints: 1, secrets: 0, headers: 2 });
  expect(written).toEqual(["ep_1"]);
  const { headers, sealedHeaders, signing } = table.get("ep_1")!;
  expect(headers).toEqual({});
  expect(signing).toContain(SEALED_HEADERS);
  expect(sealedHeaders["x-new"]).toEqual(before.sealedHeaders["x-new"]);
  const ring = createKeyRing([K2]);
  for (const name of ["authorization", "x-old", "x-new"])
    expect(
      String(ring.open(sealedHeaders[name]!, headerAad("acme", "ep_1", name))),
    ).toBe("hush");
  expect(secretKeys.use()).toMatchObject({
    plainHeaders: 0,
    keys: [
      { kid: "k2", headers: 3 },
      { kid: "k1", headers: 0 },
    ],
  });
});

test("a header value whose key is missing is told by its name, and stays", async () => {
  const sealedHeaders = {
    "x-key": sealedHeader(keyOf("k0", 3), "ep_1", "x-key"),
  };
  const before = { ...sealedBy("ep_1", [K2, "s"]), sealedHeaders };
  const { secretKeys, table } = aStore([K2, K1], before);

  const round = await secretKeys.reencrypt(ALL, CAUSE);

  expect(round).toMatchObject({
    endpoints: 0,
    failed: [
      { secretId: null, header: "x-key", kid: "k0", reason: "key_missing" },
    ],
  });
  expect(table.get("ep_1")).toBe(before);
});
