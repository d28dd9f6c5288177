import { expect, test } from "@jest/globals";
import type { ControlEntry, Endpoint } from "@postrider/core";
import { ProblemError } from "@postrider/http";
import { anEndpoint, testEffects } from "@postrider/testkit";
import type { AuditFact } from "../audit/audit-trail.ts";
import type { Tenure } from "../writer/ownership.ts";
import type { DeadLetterLog } from "./resume.ts";
import { createResumeStore } from "./resume-store.ts";
import { createTenureWriter } from "../writer/tenure-writer.ts";

const ENDPOINT = anEndpoint({ state: "enabled", version: 1 });
const PAUSED = { ...ENDPOINT, state: "paused", version: 2 };
const RESUMED = { ...ENDPOINT, state: "enabled", version: 3 };

const CAUSE = { actor: "key_1", why: "ticket 7", requestId: "req-7" };

/** A store whose log and table are the test's. `endpoint` is the endpoint as it is now. */
function aStore() {
  const entries = new Map<string, ControlEntry>();
  const state = {
    endpoint: ENDPOINT as Endpoint,
    start: 0,
    ends: 10,
    isSilent: false,
    log: (): DeadLetterLog => ({
      ranges: [
        { topic: "d", partition: 0, start: state.start, end: state.ends },
      ],
      partitionOf: () => 0,
      isCountKnown: true,
    }),
  };
  const written: (ControlEntry | null)[] = [];
  const audited: AuditFact[] = [];
  const take = (key: string, value: Buffer | null): void => {
    const entry =
      value === null ? null : (JSON.parse(String(value)) as ControlEntry);
    written.push(entry);
    if (entry === null) entries.delete(key);
    else entries.set(key, entry);
  };
  const tenure: Tenure = {
    ended: new AbortController().signal,
    producer: {
      send: async (records) => {
        for (const { topic, key, value } of records)
          if (topic === "audit") audited.push(JSON.parse(String(value)));
          else take(String(key), value);
        return [];
      },
      disconnect: async () => {},
    },
    fail: () => {},
  };
  const store = createResumeStore({
    ...testEffects(),
    tenureWriter: createTenureWriter({
      ownership: { tenure: () => tenure },
      readBack: async () => {},
    }),
    table: {
      get: (key) => entries.get(key),
      entries: () => entries.entries(),
      onChange: () => undefined,
    },
    endpoints: { get: () => state.endpoint },
    encode: ({ value }) => Buffer.from(JSON.stringify(value)),
    topic: "control",
    auditTrail: {
      recordOf: (fact) => ({
        topic: "audit",
        partition: 0,
        key: null,
        value: Buffer.from(JSON.stringify(fact)),
      }),
    },
    deadLetterLog: async () => {
      if (state.isSilent) throw new Error("no leader");
      return state.log();
    },
  });
  /** Changes the endpoint as the writer does. */
  const change = async (before: Endpoint, after: Endpoint | null) => {
    for (const { key, value } of await store.alsoWritten(before, after))
      take(String(key), value);
    if (after !== null) state.endpoint = after;
  };
  return { store, state, written, audited, change };
}

test("a pause that cannot learn where dead-letters ends is refused, and nothing is written", async () => {
  const { store, state } = aStore();
  state.isSilent = true;

  const paused = store.alsoWritten(ENDPOINT, PAUSED);

  await expect(paused).rejects.toMatchObject({ code: "kafka_unavailable" });
});

test("a running resume is restarted as it is; one that is done looks again from its position", async () => {
  const { store, change } = aStore();
  await change(ENDPOINT, PAUSED);
  await change(PAUSED, RESUMED);
  const running = store.get(ENDPOINT.id);

  expect(await store.restart(ENDPOINT.id, CAUSE)).toBe(running);
  await store.done(ENDPOINT.id, running?.id ?? "");
  expect(store.get(ENDPOINT.id)?.state).toBe("done");
  const again = await store.restart(ENDPOINT.id, CAUSE);

  expect(again).toMatchObject({ state: "running", endpointVersion: 3 });
  expect(again?.id).not.toBe(running?.id);
});

test("a resume is not started while its endpoint is paused, and not called done for another one", async () => {
  const { store, change } = aStore();
  await change(ENDPOINT, PAUSED);
  expect(await store.restart(ENDPOINT.id, CAUSE)).toMatchObject({
    state: "parked",
  });

  await change(PAUSED, RESUMED);
  await store.done(ENDPOINT.id, "rsm_older");

  expect(store.running()).toHaveLength(1);
});

test("cancelling twice is the same as once; what is not running cannot be cancelled", async () => {
  const { store, change, written } = aStore();
  const codeOf = async (id: string): Promise<unknown> =>
    await store.cancel(id, CAUSE).catch((error: unknown) => {
      return error instanceof ProblemError ? error.code : error;
    });
  expect(await codeOf(ENDPOINT.id)).toBe("not_found");
  await change(ENDPOINT, PAUSED);
  expect(await codeOf(ENDPOINT.id)).toBe("conflict");
  await change(PAUSED, RESUMED);

  await store.cancel(ENDPOINT.id, CAUSE);
  const writes = written.length;

  expect(await store.cancel(ENDPOINT.id, CAUSE)).toMatchObject({
    state: "cancelled",
  });
  expect(written).toHaveLength(writes);
});

test("a deleted endpoint takes its resume along, and one that was never paused leaves nothing behind", async () => {
  const { store, change, written } = aStore();
  await change(ENDPOINT, null);
  expect(written).toEqual([]);
  await change(ENDPOINT, PAUSED);

  await change(PAUSED, null);

  expect(written.at(-1)).toBeNull();
  expect(store.get(ENDPOINT.id)).toBeUndefined();
});

test("an end that moved is stored with the next checkpoint, not by itself", async () => {
  const { store, state, written, change } = aStore();
  await change(ENDPOINT, PAUSED);
  await change(PAUSED, RESUMED);
  const id = store.get(ENDPOINT.id)?.id ?? "";
  const writes = written.length;
  state.ends = 30;

  const reached = await store.reach(ENDPOINT.id, state.log());
  expect(reached?.places).toMatchObject([{ position: 10, end: 30 }]);
  expect(written).toHaveLength(writes);
  const stored = await store.checkpoint(ENDPOINT.id, {
    id,
    partition: 0,
    position: 20,
    end: 30,
    sent: 10,
    skipped: 0,
    unreadable: 0,
  });

  expect(stored?.places).toMatchObject([{ position: 20, end: 30 }]);
});

test("what the log lost under a running resume is counted once; what it lost since a resume was done is not missed", async () => {
  const { store, state, change } = aStore();
  await change(ENDPOINT, PAUSED);
  await change(PAUSED, RESUMED);
  Object.assign(state, { start: 15, ends: 30 });

  await store.reach(ENDPOINT.id, state.log());
  const reached = await store.reach(ENDPOINT.id, state.log());
  expect(reached).toMatchObject({ lost: 5, places: [{ position: 15 }] });
  await store.done(ENDPOINT.id, reached?.id ?? "");
  expect(store.get(ENDPOINT.id)?.detail).toContain("5 offsets");
  state.start = 25;
  const again = await store.restart(ENDPOINT.id, CAUSE);

  expect(again).toMatchObject({
    state: "running",
    lost: 0,
    places: [{ from: 25, position: 25 }],
  });
});

test("who stops a resume, or lets it go on, is in the audit trail; what changes nothing, and what runs do, is not", async () => {
  const { store, change, audited } = aStore();
  await change(ENDPOINT, PAUSED);
  await change(PAUSED, RESUMED);
  const { id = "" } = store.get(ENDPOINT.id) ?? {};

  await store.cancel(ENDPOINT.id, CAUSE);
  await store.cancel(ENDPOINT.id, CAUSE);
  await store.restart(ENDPOINT.id, CAUSE);
  await store.restart(ENDPOINT.id, CAUSE);
  await store.done(ENDPOINT.id, store.get(ENDPOINT.id)?.id ?? "");

  expect(audited).toMatchObject([
    {
      ...CAUSE,
      tenantId: "acme",
      subject: "endpoint",
      subjectId: ENDPOINT.id,
      action: "resume_cancelled",
      detail: {
        resume: { from: id, to: id },
        state: { from: "running", to: "cancelled" },
      },
    },
    {
      ...CAUSE,
      action: "resume_restarted",
      detail: { state: { from: "cancelled", to: "running" } },
    },
  ]);
});
