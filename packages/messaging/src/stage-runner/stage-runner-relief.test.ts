import { expect, test } from "@jest/globals";
import {
  eachInItsOwnLane,
  inOneLane,
  soon,
  turns,
  useStageRunner,
} from "@postrider/testkit";

const runners = useStageRunner();

test("a full window pauses the partition; the rest of its fetched batch waits in memory, and is taken when there is room", async () => {
  const under = await runners.started(eachInItsOwnLane("l", 12), {
    limits: { maxOpenPerPartition: 8 },
  });
  expect(under.started).toHaveLength(8);
  expect(under.consumer.paused.has(0)).toBe(true);
  const { length: seeks } = under.consumer.seeks;

  under.emitAll();
  await soon(() => under.started.length === 12);

  await soon(() => !under.consumer.paused.has(0));
  expect(under.consumer.seeks).toHaveLength(seeks);
});

test("a partition is full at its share of the byte budget, and one record larger than that still passes", async () => {
  const under = await runners.started(["a/1", `b/${"x".repeat(5000)}`, "c/1"], {
    limits: { byteBudget: 2000 },
  });
  expect(under.started.map((value) => value[0])).toEqual(["a", "b"]);

  under.emitAll();

  await soon(() => under.started.length === 3);
});

test("under pressure the slow lane hands over its newest records, each with the next slot; a fast lane hands over none", async () => {
  const slots: [string, number][] = [];
  const under = await runners.started([], {
    limits: { maxOpenPerPartition: 100 },
    stage: {
      laneConcurrency: (lane) => (lane === "fast" ? 50 : 1),
      defer: ({ raw, value }, slotAt) => {
        slots.push([value, slotAt]);
        return [{ topic: "retry.1s", key: raw.key, value: raw.value! }];
      },
    },
  });
  under.read(...inOneLane("slow", 80), ...inOneLane("fast", 19));
  under.clock.advance(1000);
  for (const one of under.handling.slice())
    if (one.value.startsWith("fast")) one.emit();
  await turns();

  under.read(...inOneLane("fast", 41, 19));
  await soon(() => slots.length > 0);
  await turns();

  // The newest ones, in the order of the topic: a tail of all that are in the slow lane.
  const values = slots.map(([value]) => value);
  expect(values).toEqual(inOneLane("slow", 80).slice(-values.length));
  const times = slots.map(([, slotAt]) => slotAt);
  expect(times[0]).toBeGreaterThanOrEqual(under.clock.now() + 1000);
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  expect(new Set(times).size).toBe(times.length);
});

test("a healthy burst is not deferred: its partition pauses shortly instead", async () => {
  const slots: string[] = [];
  const under = await runners.started([], {
    limits: { maxOpenPerPartition: 100 },
    stage: {
      laneConcurrency: () => 50,
      defer: ({ value }) => {
        slots.push(value);
        return [];
      },
    },
  });
  under.consumer.append(0, ...inOneLane("a", 200));
  for (let round = 0; round < 8; round++) {
    under.consumer.deliver();
    under.clock.advance(100);
    under.emitAll();
    await turns();
  }

  expect(under.started).toHaveLength(200);
  expect(slots).toEqual([]);
});

/** Starts a runner whose lanes `limited…` may start nothing for `nextStartMs`. */
async function withLimited(perSecond: number, nextStartMs: number) {
  const slots: [string, number][] = [];
  const under = await runners.started([], {
    limits: { maxOpenPerPartition: 100 },
    stage: {
      laneRateLimit: (lane) =>
        lane.startsWith("limited")
          ? {
              perSecond,
              nextStartAt: () => under.clock.monotonic() + nextStartMs,
            }
          : undefined,
      defer: ({ raw, value }, slotAt) => {
        slots.push([value, slotAt]);
        return [{ topic: "retry.1s", key: raw.key, value: raw.value! }];
      },
    },
  });
  return { under, slots };
}

test("of a throttled lane only what starts soon waits in memory, though there is room; the rest gets the turns behind it", async () => {
  const { under, slots } = await withLimited(1, 1_000);

  under.read(...inOneLane("limited", 60));
  under.clock.advance(1_000);
  await soon(() => slots.length > 0);

  expect(under.started).toEqual([]);
  // 32 or 33 of them start within the 32 s of a tier: whether the lane was looked at before or after the clock was moved.
  const first = slots[0]![0];
  expect(["limited/32", "limited/33"]).toContain(first);
  const values = inOneLane("limited", 60);
  expect(slots.map(([value]) => value)).toEqual(
    values.slice(values.indexOf(first)),
  );
  expect(slots.map(([, at]) => at - slots[0]![1])).toEqual(
    slots.map((_, n) => n * 1_000),
  );
});

test("throttled lanes with a record each do not fill the window of their partition", async () => {
  const { under } = await withLimited(0.001, 20_000);

  under.consumer.append(
    0,
    ...eachInItsOwnLane("limited", 250),
    ...eachInItsOwnLane("free", 20),
  );
  const freeStarted = () =>
    under.started.filter((value) => value.startsWith("free")).length;
  await soon(() => {
    under.consumer.deliver();
    under.clock.advance(50);
    return freeStarted() === 20;
  });
});

test("a burst after an idle time is measured from its first record on", async () => {
  let looks = 0;
  const under = await runners.started([], {
    loopUse: () => ({ active: 0, idle: looks++ }),
  });
  const before = looks;

  under.read("a/1");

  expect(looks).toBeGreaterThan(before);
});
