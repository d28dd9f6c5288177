import { afterEach, expect, test } from "@jest/globals";
import type { WebhookEvent } from "@postrider/core";
import { fakeClock, testEffects, waitFor } from "@postrider/testkit";
import type { Tenure } from "../writer/ownership.ts";
import { createDeadLetterWatch } from "./dead-letter-watch.ts";
import { COUNTED_MS, type DeadLetterCount } from "./operational-event.ts";

const NOON = Date.UTC(2026, 0, 1, 12);
const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** A watch that looks all the time, at the counts of the test. */
function aWatch() {
  const clock = fakeClock(NOON + 60_000);
  const told: string[] = [];
  const asked: unknown[] = [];
  const state = {
    looks: 0,
    counts: [] as DeadLetterCount[],
    fault: null as Error | null,
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
    send: async ({ value }) => void told.push((value as WebhookEvent).id), // a watch sends events only
    operationsTenant: "ops",
    threshold: 100,
    lookEveryMs: 1,
  });
  const ended = new AbortController();
  stops.push(() => watch.stop(clock.now() + 1_000));
  return {
    clock,
    told,
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
  const { told, state, looked, becomeOwner, clock, asked } = aWatch();
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
  expect(asked[0]).toMatchObject({
    since: NOON - COUNTED_MS,
    threshold: 100,
    operationsTenant: "ops",
  });
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
