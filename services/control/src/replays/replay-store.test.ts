import { expect, test } from "@jest/globals";
import { controlEntry, type ControlEntry, type Replay } from "@postrider/core";
import { ProblemError } from "@postrider/http";
import { BUILT_AT, fakeClock, testEffects } from "@postrider/testkit";
import { aReplay } from "../../fixtures/a-replay.ts";
import type { AuditFact } from "../audit/audit-trail.ts";
import type { Cause } from "../audit/cause.ts";
import type { Tenure } from "../writer/ownership.ts";
import { createTenureWriter } from "../writer/tenure-writer.ts";
import { waitsFor } from "./replay.ts";
import { createReplayStore } from "./replay-store.ts";

const BY: Cause = { actor: "key_1", why: "by mistake", requestId: "req_1" };
const DAY_MS = 24 * 3_600_000;
const PLACE = {
  tenantId: "acme",
  receivedAt: 1,
  eventId: "evt_1",
  endpointId: "ep_1",
};

/** A store whose table is the test's. Each write is noted: the facts that it brings to `audit` with it. */
function aStore(...replays: Replay[]) {
  const entries = new Map<string, ControlEntry>(
    replays.map((replay) => [`replay:${replay.id}`, controlEntry({ replay })]),
  );
  const writes: AuditFact[][] = [];
  const signalled: Replay[] = [];
  const tenure: Tenure = {
    ended: new AbortController().signal,
    producer: {
      async send(records) {
        const facts: AuditFact[] = [];
        for (const { topic, key, value } of records) {
          const parsed: unknown =
            value === null ? null : JSON.parse(String(value));
          if (topic === "audit") facts.push(parsed as AuditFact);
          else if (topic === "signals") signalled.push(parsed as Replay);
          else if (parsed === null) entries.delete(String(key));
          else entries.set(String(key), parsed as ControlEntry);
        }
        writes.push(facts);
        return [];
      },
      disconnect: async () => {},
    },
    fail: () => {},
  };
  const store = createReplayStore({
    ...testEffects({ clock: fakeClock(BUILT_AT) }),
    tenureWriter: createTenureWriter({
      ownership: { tenure: () => tenure },
      readBack: async () => {},
    }),
    table: {
      get: (key) => entries.get(key),
      entries: () => entries.entries(),
      onChange: () => undefined,
    },
    encode: ({ value }) => Buffer.from(JSON.stringify(value)),
    topic: "control",
    audit: {
      recordOf: (fact) => ({
        topic: "audit",
        partition: 0,
        key: null,
        value: Buffer.from(JSON.stringify(fact)),
      }),
    },
    alsoWrittenAtEnd: (replay) => ({
      topic: "signals",
      partition: 0,
      key: null,
      value: Buffer.from(JSON.stringify(replay)),
    }),
  });
  return { store, writes, signalled, entries };
}

const codeOf = async (work: Promise<unknown>): Promise<unknown> =>
  await work.catch((error: unknown) =>
    error instanceof ProblemError ? error.code : error,
  );

test("a new replay is written together with who made it and what it selects", async () => {
  const { store, writes } = aStore();

  await store.create(aReplay(), BY);

  expect(store.get("rpl_1")).toEqual(aReplay());
  expect(writes).toMatchObject([
    [
      {
        subject: "replay",
        subjectId: "rpl_1",
        action: "created",
        actor: "key_1",
        why: "by mistake",
        requestId: "req_1",
        detail: { selection: { statuses: ["expired"] } },
      },
    ],
  ]);
});

test("too many that are not over are refused", async () => {
  const { store, writes } = aStore(
    ...Array.from({ length: 100 }, (_, n) =>
      aReplay({ id: `rpl_${n}`, state: n % 2 === 0 ? "running" : "paused" }),
    ),
  );

  expect(await codeOf(store.create(aReplay({ id: "rpl_x" }), BY))).toBe(
    "conflict",
  );
  expect(writes).toEqual([]);
});

test("a new replay removes those that ended long ago", async () => {
  const over = (id: string, days: number): Replay =>
    aReplay({ id, state: "done", finishedAt: BUILT_AT - days * DAY_MS });
  const old = aReplay({ id: "rpl_old", createdAt: BUILT_AT - 90 * DAY_MS });
  const { store } = aStore(over("rpl_31", 31), over("rpl_29", 29), old);

  await store.create(aReplay(), BY);

  const ids = store.all().map(({ id }) => id);
  expect(ids.toSorted()).toEqual(["rpl_1", "rpl_29", "rpl_old"]);
});

test("what is done by hand is written with its reason; twice is once; what is over cannot be changed", async () => {
  const { store, writes } = aStore(
    aReplay(),
    aReplay({ id: "rpl_2", state: "done" }),
  );

  await store.steer("rpl_1", "pause", BY);
  const cancelled = await store.steer("rpl_1", "cancel", BY);
  const twice = await store.steer("rpl_1", "cancel", BY);

  expect(cancelled).toMatchObject({ state: "cancelled", finishedAt: BUILT_AT });
  expect(twice).toEqual(cancelled);
  expect(writes.flat().map(({ action }) => action)).toEqual([
    "paused",
    "cancelled",
  ]);
  expect(await codeOf(store.steer("rpl_1", "resume", BY))).toBe("conflict");
  expect(await codeOf(store.steer("rpl_2", "pause", BY))).toBe("conflict");
  expect(await store.steer("rpl_x", "pause", BY)).toBeUndefined();
});

test("each delivery that a checkpoint leaves out is in audit, in the same write and under its own tenant", async () => {
  const { store, writes } = aStore(aReplay());
  const { receivedAt: _, ...unit } = PLACE;

  await store.checkpoint(
    "rpl_1",
    { place: PLACE, sent: 2, leftOut: new Map([["endpoint_deleted", 1]]) },
    [{ ...unit, reason: "endpoint_deleted" }],
  );

  expect(store.get("rpl_1")).toMatchObject({ sent: 2, place: PLACE });
  expect(writes).toMatchObject([
    [
      {
        actor: "postrider",
        tenantId: "acme",
        subjectId: "rpl_1",
        action: "left_out",
        detail: {
          eventId: "evt_1",
          endpointId: "ep_1",
          reason: "endpoint_deleted",
        },
      },
    ],
  ]);
});

test("the end of a replay is written with its record in audit and with its signal, once", async () => {
  const { store, writes, signalled } = aStore(aReplay({ sent: 3 }));

  await store.done("rpl_1");
  await store.done("rpl_1");

  expect(store.get("rpl_1")).toMatchObject({ state: "done" });
  expect(writes).toMatchObject([[{ action: "done", detail: { sent: 3 } }]]);
  expect(signalled).toEqual([store.get("rpl_1")]);
});

test("a replay that was cancelled is not called done, and notes only say what is new", async () => {
  const { store, writes, signalled } = aStore(
    aReplay(),
    aReplay({ id: "rpl_2", state: "cancelled" }),
  );

  await store.note("rpl_1", "waits");
  await store.note("rpl_1", "waits");
  await store.note("rpl_2", "waits");
  await store.done("rpl_2");

  expect(writes).toHaveLength(1);
  expect(store.get("rpl_1")?.detail).toBe("waits");
  expect(store.get("rpl_2")).toMatchObject({ state: "cancelled", detail: "" });
  expect(signalled).toEqual([]);
});

test("a replay is never earlier than one that was stored before it, whatever the clocks say", async () => {
  const { store } = aStore(aReplay({ id: "rpl_b", createdAt: BUILT_AT + 5 }));

  const [made, next] = await Promise.all([
    store.create(aReplay({ id: "rpl_a" }), BY),
    store.create(aReplay({ id: "rpl_0" }), BY),
  ]);

  const waitsOf = (replay: Replay) =>
    waitsFor(replay, store.all()).map(({ id }) => id);
  expect(waitsOf(store.get("rpl_b")!)).toEqual([]);
  expect(waitsOf(made)).toEqual(["rpl_b"]);
  expect(waitsOf(next).toSorted()).toEqual(["rpl_a", "rpl_b"]);
});

test.each([
  ["a tenant that has 25", "acme", 25, 0, "conflict"],
  ["another tenant", "other", 25, 0, undefined],
  ["one more tenant, where tenants have 100", "other", 25, 75, "conflict"],
  ["every tenant, where tenants have 100", null, 25, 75, undefined],
])(
  "what one tenant leaves unfinished leaves room to others: a new one of %s",
  async (_of, tenantId, ofAcme, ofMore, code) => {
    const { store } = aStore(
      ...Array.from({ length: ofAcme + ofMore }, (_, n) =>
        aReplay({
          id: `rpl_${n}`,
          state: "paused",
          tenantId: n < ofAcme ? "acme" : `tenant_${n}`,
        }),
      ),
    );

    const made = store.create(aReplay({ id: "rpl_x", tenantId }), BY);

    expect(await codeOf(made.then(() => undefined))).toBe(code);
  },
);

test("of those that have ended the newest 1,000 are kept", async () => {
  const { store } = aStore(
    ...Array.from({ length: 1_050 }, (_, n) =>
      aReplay({
        id: `rpl_${n}`,
        state: "cancelled",
        finishedAt: BUILT_AT - n,
      }),
    ),
  );

  await store.create(aReplay({ id: "rpl_x" }), BY);

  expect(store.all()).toHaveLength(1_001);
  expect(store.get("rpl_999")).toBeDefined();
  expect(store.get("rpl_1000")).toBeUndefined();
});

test("what an operator's SQL selects is no tenant's to see: it may name others", async () => {
  const { store, writes } = aStore();
  const { selection } = aReplay();

  await store.create(
    aReplay({
      tenantId: "acme",
      selection: { ...selection, sql: "SELECT 'dlv_1'" },
    }),
    BY,
  );

  expect(writes).toMatchObject([[{ action: "created", tenantId: null }]]);
});
