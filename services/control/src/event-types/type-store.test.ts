import { expect, test } from "@jest/globals";
import type { ControlEntry } from "@postrider/core";
import { ProblemError } from "@postrider/http";
import { fakeClock, testEffects } from "@postrider/testkit";
import type { AuditFact } from "../audit/audit-trail.ts";
import type { Tenure } from "../writer/ownership.ts";
import { createTenureWriter } from "../writer/tenure-writer.ts";
import { changedEventType, type EventTypeCreation } from "./event-type.ts";
import { createTypeStore } from "./type-store.ts";

const CAUSE = { actor: "admin", why: "", requestId: "req-7" };

/** A store whose log, table and audit trail are the test's. `entries`: what the table has. */
function aStore(
  limits: {
    mostBytes?: number;
    mostBytesOfTenant?: number;
    mostSubschemas?: number;
  },
  entries = new Map<string, ControlEntry>(),
) {
  const effects = testEffects({ clock: fakeClock() });
  const facts: AuditFact[] = [];
  const encoded: ControlEntry[] = [];
  const state = { isOwner: true };
  const tenure: Tenure = {
    ended: new AbortController().signal,
    producer: {
      send: async (records) => {
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
  const store = createTypeStore({
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
        const key = Buffer.from(fact.subjectId);
        return { topic: "audit", partition: 0, key, value: null };
      },
    },
  });
  const create = (name: string, of: Partial<EventTypeCreation> = {}) =>
    codeOf(
      store.create(
        {
          name,
          tenantId: null,
          description: "",
          schema: null,
          example: null,
          ...of,
        },
        CAUSE,
      ),
    );
  return { store, create, state, entries, facts };
}

const codeOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => "done",
    (error: unknown) => (error instanceof ProblemError ? error.code : error),
  );

test("a tenant's types leave room for others, and all together are bounded; a change counts, and a deletion makes room", async () => {
  const { store, create } = aStore({
    mostBytes: 5_000,
    mostBytesOfTenant: 3_000,
  });
  const large = { description: "x".repeat(1_000) };

  expect(await create("a.1", { ...large, tenantId: "acme" })).toBe("done");
  expect(await create("a.2", { ...large, tenantId: "acme" })).toBe("done");
  expect(await create("a.3", { ...large, tenantId: "acme" })).toBe("conflict");
  expect(await create("b.1", { ...large, tenantId: "beta" })).toBe("done");
  expect(await create("c.1", { ...large })).toBe("conflict");
  const of = { name: "b.1", tenantId: "beta" };
  const terms = { condition: "any", cause: CAUSE } as const;
  const grown = store.change(of, terms, (before, now) =>
    changedEventType(before, { description: "x".repeat(3_000) }, now),
  );
  expect(await codeOf(grown)).toBe("conflict");
  await store.remove(of, terms);
  expect(await create("c.1", { ...large })).toBe("done");
});

test("the schemas of one owner have so many subschemas together; others, types without a schema, and a schema that says less are still taken", async () => {
  const { store, create } = aStore({ mostSubschemas: 5 });
  const schema = { properties: { a: { type: "string" }, b: true } };
  const acme = { tenantId: "acme", schema };
  const of = { name: "a.1", tenantId: "acme" };
  const terms = { condition: "any", cause: CAUSE } as const;
  const change = (to: unknown) =>
    codeOf(
      store.change(of, terms, (before, now) =>
        changedEventType(before, { schema: to }, now),
      ),
    );

  expect(await create("a.1", acme)).toBe("done");
  expect(await create("a.2", acme)).toBe("conflict");
  expect(await create("a.2", { tenantId: "acme" })).toBe("done");
  expect(await create("a.3", { ...acme, schema: { type: "object" } })).toBe(
    "done",
  );
  expect(await create("b.1", { ...acme, tenantId: "beta" })).toBe("done");
  expect(await create("c.1", { schema })).toBe("done");
  expect(await change({ ...schema, allOf: [{}, {}] })).toBe("conflict");
  expect(await change({ type: "object" })).toBe("done");
  expect(await create("a.2b", acme)).toBe("done");
});

test("an owner that has too many since there was no limit may change a type that gets no more by it", async () => {
  const schema = { properties: { a: { type: "string" }, b: true } };
  const before = aStore({});
  for (const name of ["a.1", "a.2", "a.3"])
    await before.create(name, { tenantId: "acme", schema });
  const { store, create } = aStore({ mostSubschemas: 5 }, before.entries);
  const change = (to: { schema?: unknown; description?: string }) =>
    codeOf(
      store.change(
        { name: "a.1", tenantId: "acme" },
        { condition: "any", cause: CAUSE },
        (stored, now) => changedEventType(stored, to, now),
      ),
    );

  expect(await change({ description: "more words" })).toBe("done");
  expect(await change({ schema: { ...schema, allOf: [{}] } })).toBe("conflict");
  expect(await change({ schema: { properties: { a: true } } })).toBe("done");
  expect(await create("a.4", { tenantId: "acme", schema })).toBe("conflict");
});

test("each change is audited with what changed, and the same again writes nothing", async () => {
  const { store, create, facts } = aStore({});
  const of = { name: "order.paid", tenantId: null };
  const change = (description: string) =>
    store.change(of, { condition: "any", cause: CAUSE }, (before, now) =>
      changedEventType(before, { description }, now),
    );

  await create("order.paid", { schema: { type: "object" } });
  await change("paid");
  await change("paid");

  expect(facts).toMatchObject([
    {
      subject: "event_type",
      subjectId: "order.paid",
      tenantId: null,
      action: "created",
      detail: { schema: { to: '{"type":"object"}' } },
    },
    { action: "changed", detail: { description: { to: "paid" } } },
  ]);
  expect(store.get(of).version).toBe(2);
});

test("who asks for every tenant's type is told which tenants have one of their own", async () => {
  const { store, create } = aStore({});
  await create("order.paid", { tenantId: "beta" });
  await create("order.paid", { tenantId: "acme" });
  const asked = (tenantId: string | null) => () =>
    store.get({ name: "order.paid", tenantId });

  expect(asked(null)).toThrow(
    expect.objectContaining({
      message: "There is no event type order.paid of every tenant.",
      errors: [
        expect.objectContaining({ rule: "exists" }),
        {
          field: "tenantId",
          rule: "other_tenant",
          message: "acme, beta have one of this name",
        },
      ],
    }),
  );
  expect(asked("gamma")).toThrow(
    expect.objectContaining({
      errors: [expect.objectContaining({ rule: "exists" })],
    }),
  );
});

test("a replica that may not write says so before it says what there is", async () => {
  const { create, state } = aStore({});
  state.isOwner = false;

  expect(await create("order.paid")).toBe("not_owner");
});
