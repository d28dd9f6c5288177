import { expect, test } from "@jest/globals";
import { type ApiKey, controlEntry, type ControlEntry } from "@postrider/core";
import { hashOfToken, keyEntry, ProblemError } from "@postrider/http";
import { anApiKey, fakeClock, testEffects } from "@postrider/testkit";
import type { AuditFact } from "../audit/audit-trail.ts";
import type { Tenure } from "../writer/ownership.ts";
import { createTenureWriter } from "../writer/tenure-writer.ts";
import type { KeyCreation } from "./api-key.ts";
import { createKeyStore } from "./key-store.ts";

const DAY_MS = 24 * 60 * 60 * 1_000;
const CAUSE = { actor: "admin", why: "", requestId: "req-7" };
const ANY = { callersTenant: null, cause: CAUSE };

/** A store whose log, table and audit trail are the test's. */
function aStore(
  limits: { readonly maxKeys?: number; readonly maxOfTenant?: number } = {},
) {
  const clock = fakeClock();
  const effects = testEffects({ clock });
  const entries = new Map<string, ControlEntry>();
  const facts: AuditFact[] = [];
  const batches: string[][] = [];
  const state = { isOwner: true };
  const tenure: Tenure = {
    ended: new AbortController().signal,
    producer: {
      send: async (records) => {
        batches.push(records.map(({ key }) => String(key)));
        for (const { topic, key, value } of records) {
          if (topic !== "control") continue;
          if (value === null) entries.delete(String(key));
          else entries.set(String(key), encoded[Number(String(value))]!);
        }
        return [];
      },
      disconnect: async () => {},
    },
    fail: () => {},
  };
  const encoded: ControlEntry[] = [];
  const store = createKeyStore({
    ...effects,
    ...limits,
    tenureWriter: createTenureWriter({
      ownership: { tenure: () => (state.isOwner ? tenure : null) },
      readBack: async () => {},
    }),
    table: entries,
    // A record's bytes are the number of the value, so that the value itself is what the table gets.
    encode: ({ value }) =>
      Buffer.from(String(encoded.push(value as ControlEntry) - 1)),
    topic: "control",
    audit: {
      recordOf(fact) {
        facts.push(fact);
        const { subjectId } = fact;
        return {
          topic: "audit",
          partition: 0,
          key: Buffer.from(subjectId),
          value: null,
        };
      },
    },
  });
  const put = (key: Partial<ApiKey>): ApiKey => {
    const made = anApiKey(key);
    entries.set(keyEntry(made.id), controlEntry({ key: made }));
    return made;
  };
  return { store, state, clock, effects, entries, facts, batches, put };
}

function aCreation(fields: Partial<KeyCreation> = {}): KeyCreation {
  return {
    name: "billing",
    role: "publisher",
    tenantId: "acme",
    expiresAt: null,
    limit: null,
    ...fields,
  };
}

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => "done",
    (error: unknown) => (error instanceof ProblemError ? error.code : error),
  );

test("a new key is stored with the hash of its token, and the token nowhere", async () => {
  const { store, clock, entries, effects, facts, batches } = aStore();

  const { key, token } = await store.create(aCreation(), CAUSE);

  expect(store.get(key.id, null)).toBe(key);
  expect(key).toMatchObject({
    name: "billing",
    role: "publisher",
    tenantId: "acme",
    createdBy: "admin",
    createdAt: clock.now(),
    revokedAt: null,
    hash: hashOfToken(token),
  });
  expect(batches).toEqual([[keyEntry(key.id), key.id]]);
  const kept = JSON.stringify([[...entries], facts, effects.log.lines]);
  expect(kept).not.toContain(token.slice(21));
});

test("making and revoking are audited in the write itself, once each", async () => {
  const { store, facts, batches, clock } = aStore();
  const { key } = await store.create(aCreation(), CAUSE);
  clock.advance(5);

  const revoked = await store.revoke(key.id, ANY);
  const again = await store.revoke(key.id, ANY);

  expect(revoked).toEqual({ ...key, revokedAt: clock.now() });
  expect(again).toBe(revoked);
  expect(batches).toHaveLength(2);
  expect(facts).toMatchObject([
    {
      ...CAUSE,
      tenantId: "acme",
      subject: "key",
      subjectId: key.id,
      action: "created",
      detail: { name: "billing", role: "publisher" },
    },
    { subjectId: key.id, action: "revoked" },
  ]);
  expect(JSON.stringify(facts)).not.toContain("hash");
});

test("another tenant's key, one of every tenant and none at all are the same to a caller with a tenant", async () => {
  const { store, put } = aStore();
  put({ id: "of acme", tenantId: "acme" });
  put({ id: "of beta", tenantId: "beta" });
  put({ id: "of all", tenantId: null });

  expect(store.visible("acme").map(({ id }) => id)).toEqual(["of acme"]);
  expect(store.visible(null)).toHaveLength(3);
  for (const id of ["of beta", "of all", "of nobody"]) {
    expect(() => store.get(id, "acme")).toThrow(`There is no key ${id}.`);
    expect(
      await codeOf(store.revoke(id, { callersTenant: "acme", cause: CAUSE })),
    ).toBe("not_found");
  }
  expect(store.get("of beta", null).revokedAt).toBeNull();
});

test("whether a key exists does not show on a replica that may not write", async () => {
  const { store, state, put } = aStore();
  put({ id: "of beta", tenantId: "beta" });
  state.isOwner = false;

  const terms = { callersTenant: "acme", cause: CAUSE };

  expect(await codeOf(store.revoke("of beta", terms))).toBe("not_owner");
  expect(await codeOf(store.revoke("of nobody", terms))).toBe("not_owner");
  expect(await codeOf(store.create(aCreation(), CAUSE))).toBe("not_owner");
});

test("keys are refused once there are too many, of one tenant or in all; one that ended makes room", async () => {
  const { store, put, clock } = aStore({ maxKeys: 4, maxOfTenant: 2 });
  put({ id: "a", tenantId: "acme" });
  put({ id: "b", tenantId: "acme" });
  put({ id: "c", tenantId: "beta", expiresAt: clock.now() + 1 });

  expect(await codeOf(store.create(aCreation(), CAUSE))).toBe("conflict");
  expect(
    await codeOf(store.create(aCreation({ tenantId: "beta" }), CAUSE)),
  ).toBe("done");
  const others = aCreation({ tenantId: null });
  expect(await codeOf(store.create(others, CAUSE))).toBe("conflict");
  clock.advance(1);

  expect(await codeOf(store.create(others, CAUSE))).toBe("done");
  expect(store.visible(null)).toHaveLength(4);
  expect(await codeOf(store.create(others, CAUSE))).toBe("conflict");
});

test("a tenant that makes and revokes keys without end pushes out its own ended keys, and nobody else's", async () => {
  const { store, put, clock } = aStore({ maxKeys: 6, maxOfTenant: 3 });
  put({ id: "of beta", tenantId: "beta", revokedAt: clock.now() });
  put({ id: "of all", tenantId: null, revokedAt: clock.now() });

  const made: string[] = [];
  for (let n = 0; n < 10; n += 1) {
    clock.advance(1);
    const { key } = await store.create(aCreation(), CAUSE);
    await store.revoke(key.id, ANY);
    made.push(key.id);
  }

  expect(store.get("of beta", null).revokedAt).not.toBeNull();
  expect(store.get("of all", null).revokedAt).not.toBeNull();
  expect(store.visible("acme").map(({ id }) => id)).toEqual(made.slice(-3));
});

test("a tenant with more records than it has room for may still make a key, and loses ended ones with it", async () => {
  const { store, put, clock } = aStore({ maxKeys: 9, maxOfTenant: 2 });
  for (const id of ["a", "b", "c", "d"])
    put({ id, tenantId: "acme", revokedAt: clock.now() });

  const { key } = await store.create(aCreation(), CAUSE);

  expect(store.visible("acme").map(({ id }) => id)).toEqual(["d", key.id]);
});

test("a key that ended is kept for its record for 30 days, and goes with the next change then", async () => {
  const { store, put, clock, batches } = aStore();
  put({ id: "revoked", revokedAt: clock.now() });
  put({ id: "expired", expiresAt: clock.now() });
  put({ id: "living", expiresAt: clock.now() + 100 * DAY_MS });
  clock.advance(30 * DAY_MS - 1);
  await store.create(aCreation(), CAUSE);
  expect(store.visible(null)).toHaveLength(4);

  clock.advance(1);
  await store.revoke("living", ANY);

  expect(batches.at(-1)).toEqual([
    keyEntry("living"),
    keyEntry("revoked"),
    keyEntry("expired"),
    "living",
  ]);
  expect(() => store.get("revoked", null)).toThrow("There is no key");
  expect(store.get("living", null).revokedAt).toBe(clock.now());
});
