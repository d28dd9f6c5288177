import { afterEach, expect, test } from "@jest/globals";
import type { Signal, WebhookEvent } from "@postrider/core";
import { fakeClock, testEffects, waitFor } from "@postrider/testkit";
import type { Tenure } from "../writer/ownership.ts";
import { createDeadLetterWatch } from "./dead-letter-watch.ts";
import { COUNTED_MS, type DeadLetterCount } from "./operational-event.ts";

const NOON = Date.UTC(2026, 0, 1, 12);
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** A watch that looks all the time, at the counts of the test. What it tells, in order: the ids of events, and of signals kind, tenant and time. */
function aWatch(operationsTenant: string | null = "ops") {
  const clock = fakeClock(NOON + 60_000);
  const told: string[] = [];
  const signalled: string[] = [];
  const asked: unknown[] = [];
  const state = {
    looks: 0,
    counts: [] as DeadLetterCount[],
    fault: null as Error | null,
    /** Of sending a signal. */
    sendFault: null as Error | null,
  };
  const begin: ((tenure: Tenure) => void)[] = [];
  const effects = testEffects();
  const watch = createDeadLetterWatch({
    log: effects.log,
    clock,
    ownership: { onTenure: (listener) => void begin.push(listener) },
    async select<Row>(_sql: string, values: unknown): Promise<Row[]> {
      state.looks += 1;
      asked.push(values);
      if (state.fault !== null) throw state.fault;
      return state.counts as Row[];
    },
    async send({ topic, value }) {
      if (topic === "events") return void told.push((value as WebhookEvent).id);
      if (state.sendFault !== null) throw state.sendFault;
      const { kind, tenantId, at } = value as Signal; // besides events a watch sends signals
      signalled.push(`${kind}:${tenantId}:${new Date(at).toISOString()}`);
    },
    operationsTenant,
    threshold: 100,
    lookEveryMs: 1,
  });
  const ended = new AbortController();
  stops.push(() => watch.stop(clock.now() + 1_000));
  return {
    clock,
    told,
    signalled,
    asked,
    state,
    ended,
    looked: async (): Promise<void> => {
      const before = state.looks;
      await waitFor(() => state.looks >= before + 2);
    },
    becomeOwner: (until = ended.signal) =>
      begin[0]?.({ ended: until } as Partial<Tenure> as Tenure), // all that it looks at
  };
}

const count = (tenantId: string, since = NOON): DeadLetterCount => ({
  tenantId,
  since,
  count: 131,
  reasons: { exhausted: 131 },
});

test("a tenant and hour are told once, and the next hour again", async () => {
  const { told, signalled, state, looked, becomeOwner, clock, asked } =
    aWatch();
  state.counts = [count("acme"), count("")];

  becomeOwner();
  await looked();
  clock.advance(COUNTED_MS);
  state.counts = [count("acme"), count("acme", NOON + COUNTED_MS)];
  await looked();

  expect(told).toEqual([
    "postrider.dead_letters.growing:acme:2026-01-01T12:00:00.000Z",
    "postrider.dead_letters.growing::2026-01-01T12:00:00.000Z",
    "postrider.dead_letters.growing:acme:2026-01-01T13:00:00.000Z",
  ]);
  expect(signalled).toEqual([
    "dead_letters_growing:acme:2026-01-01T12:01:00.000Z",
    "dead_letters_growing::2026-01-01T12:01:00.000Z",
    "dead_letters_growing:acme:2026-01-01T13:01:00.000Z",
  ]);
  expect(asked[0]).toMatchObject({ since: NOON - COUNTED_MS, threshold: 100 });
});

test("the signal of an hour that is over is of that hour", async () => {
  const { signalled, state, looked, becomeOwner, clock } = aWatch();
  clock.advance(COUNTED_MS);
  state.counts = [count("acme"), count("acme", NOON + COUNTED_MS)];

  becomeOwner();
  await looked();

  expect(signalled).toEqual([
    "dead_letters_growing:acme:2026-01-01T12:59:59.999Z",
    "dead_letters_growing:acme:2026-01-01T13:01:00.000Z",
  ]);
});

test("without a tenant for them there are no events, and of the operator's own there are none, but signals", async () => {
  const watches = [aWatch(null), aWatch("acme")];
  for (const { state, becomeOwner, looked } of watches) {
    state.counts = [count("acme")];
    becomeOwner();
    await looked();
  }

  for (const { told, signalled } of watches) {
    expect(told).toEqual([]);
    expect(signalled).toHaveLength(1);
  }
});

test("what could not be signalled is told again, as the same event", async () => {
  const { told, signalled, state, looked, becomeOwner } = aWatch();
  state.counts = [count("acme")];
  state.sendFault = new Error("away");

  becomeOwner();
  await looked();
  expect(signalled).toEqual([]);
  state.sendFault = null;
  await looked();

  expect(signalled).toHaveLength(1);
  expect(new Set(told).size).toBe(1);
  expect(told.length).toBeGreaterThan(1);
});

test("while ClickHouse is away nothing is counted, and what there is then is told", async () => {
  const { told, state, looked, becomeOwner } = aWatch();
  state.fault = new Error("away");
  state.counts = [count("acme")];

  becomeOwner();
  await looked();
  expect(told).toEqual([]);
  state.fault = null;
  await looked();

  expect(told).toHaveLength(1);
});

test("only the owner looks, and its next tenure does not tell again what it has told", async () => {
  const { told, state, looked, becomeOwner, ended } = aWatch();
  state.counts = [count("acme")];
  expect(state.looks).toBe(0);
  becomeOwner(ended.signal);
  await looked();

  ended.abort();
  state.counts = [count("acme"), count("late")];
  becomeOwner(new AbortController().signal);
  await looked();

  expect(told).toEqual([
    "postrider.dead_letters.growing:acme:2026-01-01T12:00:00.000Z",
    "postrider.dead_letters.growing:late:2026-01-01T12:00:00.000Z",
  ]);
});

test("the next process tells again, with the same ids", async () => {
  const watches = [aWatch(), aWatch()];
  for (const { state, becomeOwner, looked } of watches) {
    state.counts = [count("acme")];
    becomeOwner();
    await looked();
  }

  const [first, second] = watches.map(({ told }) => told);
  expect(first).toHaveLength(1);
  expect(second).toEqual(first);
});
