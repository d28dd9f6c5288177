import { expect, test } from "@jest/globals";
import {
  fakeClock,
  soon,
  useStageRunner,
  type FakeClock,
  type RunnerUnderTest,
} from "@postrider/testkit";
import type { Lanes } from "../lanes/lanes.ts";
import type { OpenRecord } from "./open-record.ts";
import { ReliefValve } from "./relief-valve.ts";
import { RUNNER_LIMITS } from "./runner-limits.ts";

const runners = useStageRunner();
let under: RunnerUnderTest;
let clock: FakeClock;
let deferred: string[];
/** How often the event loop was asked what it does: once a tick, and at each relief. */
let looks = 0;

/** A runner that owns partition 0 and may hold 100 of its records; each lane has 10 in flight. */
async function started(busy: number): Promise<RunnerUnderTest> {
  clock = fakeClock();
  deferred = [];
  const startedAt = clock.monotonic();
  under = runners.create({
    clock,
    limits: { maxOpenPerPartition: 100 },
    loopUse: () => {
      looks++;
      const elapsedMs = clock.monotonic() - startedAt;
      return { active: elapsedMs * busy, idle: elapsedMs * (1 - busy) };
    },
    stage: {
      laneConcurrency: () => 10,
      defer: ({ value }) => {
        deferred.push(value);
        return [];
      },
    },
  });
  await under.startWith(0);
  await ticks();
  return under;
}

/** Lets the runner's tick look at the process and the partitions. */
async function ticks(): Promise<void> {
  const enough = looks + 3;
  await soon(() => looks >= enough);
}

/** Ends so many handlers of a lane, and hands the next fetched records to the runner. */
async function complete(lane: string, count: number): Promise<void> {
  for (let n = 0; n < count; n++) {
    const next = under.handling.find(({ value }) => value.startsWith(lane));
    next?.emit();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

function append(count: number, lanes: readonly string[]): void {
  for (let n = 0; n < count; n++)
    for (const lane of lanes) under.consumer.append(0, `${lane}/${n}`);
}

test.each([
  ["idle", 0, ["a", "b"]],
  ["saturated", 1, []],
])(
  "an overload that two healthy lanes share, in a process that is %s",
  async (_name, busy, lanes) => {
    const under = await started(busy);
    append(60, ["a", "b"]);
    under.consumer.deliver();
    clock.advance(1000);
    for (const lane of ["a", "b"]) await complete(lane, 8);

    under.consumer.deliver();
    await ticks();

    expect(new Set(deferred.map((value) => value[0]))).toEqual(new Set(lanes));
  },
);

test("a black hole among healthy lanes is relieved in a saturated process, too", async () => {
  const under = await started(1);
  append(100, ["a", "b", "hole"]);
  under.consumer.deliver();
  clock.advance(2000);
  for (const lane of ["a", "b"]) await complete(lane, 25);
  clock.advance(50);
  await soon(() => deferred.length > 0);

  expect(new Set(deferred.map((value) => value.split("/")[0]))).toEqual(
    new Set(["hole"]),
  );
});

test("lanes are measured anew after a stall of the process itself, so none is called slow for it", async () => {
  const under = await started(0);
  append(90, ["a"]);
  under.consumer.deliver();
  clock.advance(300);
  await complete("a", 50);
  // The coordinator is silent: nothing may start. Fetching goes on, until the window is full.
  clock.advance(24_100);
  await ticks();
  clock.advance(900);
  append(80, ["b"]);
  under.consumer.deliver();
  await complete("a", 10);
  expect(under.handling).toEqual([]);

  under.consumer.heartbeatAt = clock.monotonic();
  await ticks();

  expect(deferred).toEqual([]);
});

test.each([
  ["a few lanes", 0, 50],
  ["so many lanes that a look at them takes 50 ms", 50, 4],
])(
  "with %s relief takes a fifth of the time at most, however often it is asked for",
  (_name, lookMs, most) => {
    const clock = fakeClock();
    let looks = 0;
    const lanes: Pick<Lanes<OpenRecord<string>>, "all" | "ratePerSecond"> = {
      all: () => {
        looks++;
        clock.advance(lookMs);
        return new Map<string, never>().values();
      },
      ratePerSecond: () => null,
    };
    const valve = new ReliefValve<string>({
      limits: RUNNER_LIMITS,
      // Relief uses nothing else of the lanes.
      lanes: lanes as Lanes<OpenRecord<string>>,
      bytesPerPartition: () => 1,
      defer: () => undefined,
      hasTurn: () => false,
      output: { unacknowledged: () => 0 },
      clock,
      loopUse: () => ({ active: 0, idle: 0 }),
    });

    while (clock.monotonic() < 1_000) {
      valve.relieve();
      clock.advance(1);
    }

    expect(looks).toBeGreaterThanOrEqual(most - 1);
    expect(looks).toBeLessThanOrEqual(most);
  },
);
