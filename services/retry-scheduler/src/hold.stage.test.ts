import { afterEach, expect, test } from "@jest/globals";
import {
  parseTiers,
  planWait,
  type Delivery,
  type Tier,
} from "@postrider/core";
import type { InRecord, OutRecord } from "@postrider/messaging";
import { aDelivery, fakeClock, testEffects } from "@postrider/testkit";
import fc from "fast-check";
import { createHoldStage, type HoldStage } from "./hold.stage.ts";

const tiers = parseTiers("1s,2s,4s,8s,300s,1h");

const stages: HoldStage[] = [];
const given: Promise<void>[] = [];

afterEach(async () => {
  for (const stage of stages.splice(0)) stage.giveBack();
  await Promise.allSettled(given.splice(0));
});

/** The stage with a clock that is advanced by hand; `advance` also runs the timer's work. */
function aHold() {
  const clock = fakeClock();
  const { meter } = testEffects({ clock });
  const byTopic = new Map(tiers.map((tier) => [`t.${tier.topic}`, tier]));
  const tierOf = (topic: string): Tier => byTopic.get(topic)!;
  const stage = createHoldStage({ tiers, tierOf, clock, meter });
  stages.push(stage);
  const signal = new AbortController();
  const released: { record: OutRecord; at: number; deliveryId: string }[] = [];

  const hold = (
    topic: string,
    fields: Partial<Delivery>,
    appendedAt = clock.now(),
  ): Promise<void> => {
    const value = aDelivery(fields);
    const record: InRecord<Delivery> = {
      raw: {
        topic,
        partition: 0,
        offset: released.length,
        timestamp: appendedAt,
        key: Buffer.from(value.endpointId),
        value: Buffer.from(value.deliveryId),
        headers: { h: Buffer.from("1") },
      },
      value,
    };
    const done = stage.handle(record, signal.signal).then((verdict) => {
      if (verdict.kind !== "emit") throw new Error("hold never rejects");
      for (const each of verdict.records)
        released.push({
          record: each,
          at: clock.now(),
          deliveryId: value.deliveryId,
        });
    });
    given.push(done);
    return done;
  };
  const advance = async (ms: number, stepMs = 10): Promise<void> => {
    for (let gone = 0; gone < ms; gone += stepMs) {
      clock.advance(Math.min(stepMs, ms - gone));
      stage.turn();
      await new Promise((resume) => setImmediate(resume));
    }
  };
  return { stage, clock, signal, released, hold, advance };
}

test("a record leaves exactly its tier's delay after the broker appended it, its bytes untouched", async () => {
  const { clock, released, hold, advance } = aHold();
  const startedAt = clock.now();
  void hold(
    "t.retry.4s",
    { nextAttemptAt: startedAt + 3_700 },
    startedAt - 300,
  );

  await advance(3_690);
  expect(released).toEqual([]);
  await advance(20);

  expect(released).toHaveLength(1);
  expect(released[0]?.at).toBeGreaterThanOrEqual(startedAt + 3_700);
  expect(released[0]?.record).toMatchObject({
    topic: "deliveries",
    key: Buffer.from("ep_000000000000000000000001"),
    value: Buffer.from("dlv_000000000000000000000001"),
    headers: { h: Buffer.from("1") },
  });
});

test("the remaining wait goes to the longest tier that fits into it, and the last second is waited in memory", async () => {
  const { clock, released, hold, advance } = aHold();
  const startedAt = clock.now();
  void hold("t.retry.2s", {
    deliveryId: "a",
    nextAttemptAt: startedAt + 7_000,
  });
  void hold("t.retry.2s", {
    deliveryId: "b",
    nextAttemptAt: startedAt + 2_900,
  });
  void hold("t.retry.2s", { deliveryId: "c", nextAttemptAt: null });

  await advance(2_000);
  const atOnce = released.map(({ deliveryId, record }) => [
    deliveryId,
    record.topic,
  ]);
  await advance(890);
  expect(released).toHaveLength(2);
  await advance(20);

  expect(atOnce).toEqual([
    ["a", "retry.4s"],
    ["c", "deliveries"],
  ]);
  expect(released.at(-1)).toMatchObject({
    deliveryId: "b",
    record: { topic: "deliveries" },
  });
  expect(released.at(-1)?.at).toBeGreaterThanOrEqual(startedAt + 2_900);
});

test("a timestamp far in the future or the past costs one hop at most the tier's own delay", async () => {
  const { clock, released, hold, advance } = aHold();
  const startedAt = clock.now();
  void hold(
    "t.retry.2s",
    { deliveryId: "future", nextAttemptAt: startedAt },
    startedAt + 9e9,
  );
  await advance(2_000);
  expect(released.map(({ deliveryId }) => deliveryId)).toEqual(["future"]);

  void hold(
    "t.retry.2s",
    { deliveryId: "past", nextAttemptAt: clock.now() + 2_000 },
    -1,
  );
  await advance(10);

  // The record's hop ends at once, but its whole wait does not.
  expect(released.at(-1)).toMatchObject({
    deliveryId: "past",
    record: { topic: "retry.1s" },
  });
});

test("records leave a partition in the order in which they came", async () => {
  const { clock, released, hold, advance } = aHold();
  const startedAt = clock.now();
  const appends = [0, 30, 10, 500, 20];
  appends.forEach(
    (after, index) =>
      void hold(
        "t.retry.1s",
        { deliveryId: String(index), nextAttemptAt: null },
        startedAt - 600 + after,
      ),
  );

  await advance(1_100);

  expect(released.map(({ deliveryId }) => deliveryId)).toEqual([
    "0",
    "1",
    "2",
    "3",
    "4",
  ]);
});

test("a clock set back while a record waits does not make it early", async () => {
  const { clock, released, hold, advance } = aHold();
  const dueAt = clock.now() + 1_000;
  void hold("t.retry.1s", { nextAttemptAt: dueAt });
  await advance(500);

  clock.setNow(clock.now() - 400);
  await advance(890);
  expect(released).toEqual([]);
  await advance(30);

  expect(released).toHaveLength(1);
  expect(released[0]?.at).toBeGreaterThanOrEqual(dueAt);
});

test("a wait shorter than the shortest tier skips the tier's delay if the event would expire in it, and only then", async () => {
  const { clock, released, hold, advance } = aHold();
  const now = clock.now();
  const at = { nextAttemptAt: now + 300, expiresAt: now + 500 };
  void hold("t.retry.1s", { ...at, deliveryId: "dlv_in_time" });
  void hold("t.retry.1s", { ...at, expiresAt: null, deliveryId: "dlv_never" });
  void hold("t.retry.2s", { ...at, deliveryId: "dlv_longer_tier" });
  void hold("t.retry.1s", {
    ...at,
    expiresAt: now + 299,
    deliveryId: "dlv_too_late",
  });

  await advance(290);
  expect(released).toEqual([]);
  await advance(30);

  expect(released).toMatchObject([
    { deliveryId: "dlv_in_time", record: { topic: "deliveries" } },
  ]);
  await advance(900);
  expect(
    released
      .map(({ deliveryId }) => deliveryId)
      .slice(1)
      .sort(),
  ).toEqual(["dlv_never", "dlv_too_late"]);
});

test("records of a partition that moved end without output", async () => {
  const { stage, hold, released } = aHold();
  const moved = hold("t.retry.4s", {});
  void hold("t.retry.8s", {});

  stage.forget?.({ topic: "t.retry.4s", partition: 0 });
  await moved;

  expect(released).toEqual([]);
  expect(stage.held()).toBe(1);
});

test("at a stop all held records are given back at once, and no new one is accepted", async () => {
  const { stage, signal, hold, released } = aHold();
  const given = hold("t.retry.4s", {});
  stage.giveBack();
  await expect(given).rejects.toMatchObject({ code: "HOLD_ABANDONED" });
  await expect(hold("t.retry.8s", {})).rejects.toMatchObject({
    code: "HOLD_ABANDONED",
  });

  const other = aHold();
  const aborted = other.hold("t.retry.8s", {});
  other.signal.abort();
  await expect(aborted).rejects.toMatchObject({ code: "HOLD_ABANDONED" });

  expect([stage.held(), other.stage.held(), signal.signal.aborted]).toEqual([
    0,
    0,
    false,
  ]);
  expect([...released, ...other.released]).toEqual([]);
});

test("through any number of hops no wait ends early, and it is late only by the timer's period in each hop", async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 30_000 }), async (waitMs) => {
      const { clock, released, hold, advance } = aHold();
      const startedAt = clock.now();
      const planned = planWait(tiers, waitMs);
      const nextAttemptAt = startedAt + planned.waitMs;
      void hold(`t.${planned.tier?.topic}`, { nextAttemptAt });

      for (let turns = 0; turns < 4_000; turns += 1) {
        await advance(25, 25);
        const last = released.at(-1);
        if (last === undefined) continue;
        if (last.record.topic === "deliveries") break;
        released.length = 0;
        void hold(`t.${last.record.topic}`, { nextAttemptAt });
      }

      const end = released.at(-1);
      expect(end?.record.topic).toBe("deliveries");
      expect((end?.at ?? 0) - nextAttemptAt).toBeGreaterThanOrEqual(0);
      expect((end?.at ?? 0) - nextAttemptAt).toBeLessThanOrEqual(50 * 6);
    }),
    { numRuns: 25 },
  );
});
