import { expect, test } from "@jest/globals";
import fc from "fast-check";
import type { LaneStanding } from "../stage.ts";
import type { Lane, Queued } from "./lane.ts";
import { Lanes } from "./lanes.ts";

class Entry implements Queued<Entry> {
  lane: Lane<Entry> | null = null;
  isInTurn = false;
  ahead: Entry | null = null;
  behind: Entry | null = null;
  readonly name: string;
  readonly n: number;

  constructor(name: string, n: number) {
    this.name = name;
    this.n = n;
  }
}

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("push"), n: fc.nat(4) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("take"), n: fc.nat(4) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant("settle"), n: fc.nat(100) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("remove"), n: fc.nat(100) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("again"), n: fc.nat(100) }),
  },
);

test("a lane's records start in order, never more at once than it may, and no record is forgotten", () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 300 }),
      fc.integer({ min: 1, max: 3 }),
      (steps, concurrency) => {
        const lanes = new Lanes<Entry>({ concurrencyOf: () => concurrency });
        const queues = new Map<string, Entry[]>();
        const inFlight: Entry[] = [];
        const queueOf = (name: string) => queues.get(name) ?? [];
        const flying = (name: string) =>
          inFlight.filter((entry) => entry.name === name).length;
        let n = 0;

        for (const step of steps) {
          if (step.kind === "push") {
            const entry = new Entry(`lane${step.n}`, n++);
            lanes.push(entry.name, entry, 0);
            queues.set(entry.name, [...queueOf(entry.name), entry]);
          } else if (step.kind === "take") {
            const entry = lanes.take();
            const startable = [...queues].some(
              ([name, queue]) => queue.length > 0 && flying(name) < concurrency,
            );
            expect(entry !== null).toBe(startable);
            if (entry === null) continue;
            expect(queueOf(entry.name)[0]).toBe(entry);
            expect(flying(entry.name)).toBeLessThan(concurrency);
            queues.set(entry.name, queueOf(entry.name).slice(1));
            inFlight.push(entry);
          } else if (step.kind === "remove") {
            const queued = [...queues.values()].flat();
            const entry = queued[step.n % Math.max(1, queued.length)];
            if (entry === undefined) continue;
            lanes.remove(entry);
            queues.set(
              entry.name,
              queueOf(entry.name).filter((other) => other !== entry),
            );
          } else {
            const [entry] = inFlight.splice(
              step.n % Math.max(1, inFlight.length),
              1,
            );
            if (entry === undefined) continue;
            lanes.settle(entry.lane!, true);
            if (step.kind === "settle") continue;
            lanes.pushAhead(entry.name, entry, 0);
            queues.set(entry.name, [entry, ...queueOf(entry.name)]);
          }
          expect(lanes.queued).toBe([...queues.values()].flat().length);
        }
      },
    ),
  );
});

test("ready lanes take turns, so that a long queue does not keep a short one waiting", () => {
  const lanes = new Lanes<Entry>({ concurrencyOf: () => Infinity });
  for (let n = 0; n < 5; n++) lanes.push("long", new Entry("long", n), 0);
  lanes.push("short", new Entry("short", 0), 0);

  const taken = [lanes.take(), lanes.take(), lanes.take()];

  expect(taken.map((entry) => entry!.name)).toEqual(["long", "short", "long"]);
});

test.each([false, true])(
  "a lane with nine tenths of the records, which may take every slot, takes no turn from the others: none of theirs waits for more than a turn of each (groups: %s)",
  (hasGroups) => {
    const [SLOTS, SMALL] = [16, 9];
    const lanes = new Lanes<Entry>({
      concurrencyOf: () => SLOTS,
      slots: SLOTS,
      hasGroups,
    });
    const inFlight: Entry[] = [];
    let starts = 0;
    /** For each record of a small lane, how many records had started when it came. */
    const cameAt = new Map<Entry, number>();
    const waits: number[] = [];
    const startAll = (): void => {
      for (let one = lanes.take(); one !== null; one = lanes.take()) {
        inFlight.push(one);
        starts++;
        const came = cameAt.get(one);
        if (came !== undefined) waits.push(starts - came);
      }
    };

    // Of each 90, one is for each small lane. Two come for each that ends, so that ever more of the big lane's wait.
    for (let n = 0; n < 1_800; n++) {
      const isSmall = n % 90 < SMALL;
      const entry = new Entry(isSmall ? `small${n % 90}` : "big", n);
      if (isSmall) cameAt.set(entry, starts);
      lanes.push(entry.name, entry, 0, "acme");
      if (n % 2 === 1) lanes.settle(inFlight.shift()!.lane!, true);
      startAll();
    }

    expect(lanes.queued).toBeGreaterThan(800);
    expect(waits).toHaveLength(180);
    expect(Math.max(...waits)).toBeLessThanOrEqual(SMALL + 1);
  },
);

test("a concurrency that grows is used at the lane's next completion", () => {
  let concurrency = 1;
  const lanes = new Lanes<Entry>({ concurrencyOf: () => concurrency });
  for (let n = 0; n < 5; n++) lanes.push("a", new Entry("a", n), 0);
  const first = lanes.take()!;
  expect(lanes.take()).toBeNull();

  concurrency = 3;
  lanes.settle(first.lane!, true);

  expect([
    lanes.take()?.n,
    lanes.take()?.n,
    lanes.take()?.n,
    lanes.take(),
  ]).toEqual([1, 2, 3, null]);
});

test("a lane that has no room while a record is in flight is looked at again at each end, and starts all that it then may", () => {
  let concurrency = 3;
  const lanes = new Lanes<Entry>({ concurrencyOf: () => concurrency });
  for (let n = 0; n < 10; n++) lanes.push("a", new Entry("a", n), 0);
  const early = [lanes.take()!, lanes.take()!, lanes.take()!];
  concurrency = 0;

  lanes.settle(early[0]!.lane!, true);
  expect(lanes.take()).toBeNull();
  concurrency = Infinity;
  lanes.settle(early[1]!.lane!, true);

  expect(Array.from({ length: 7 }, () => lanes.take()?.n)).toEqual([
    3, 4, 5, 6, 7, 8, 9,
  ]);
});

test("lanes that are empty are forgotten, unless slots are reserved in their future", () => {
  const lanes = new Lanes<Entry>({ concurrencyOf: () => 1 });
  lanes.push("gone", new Entry("gone", 0), 0);
  lanes.push("kept", new Entry("kept", 0), 0);
  for (let entry = lanes.take(); entry !== null; entry = lanes.take()) {
    if (entry.name === "kept") entry.lane!.nextSlotAt = 1000;
    lanes.settle(entry.lane!, true);
  }

  expect(lanes.size).toBe(1);
  lanes.sweep(999);
  expect(lanes.size).toBe(1);
  lanes.sweep(1000);
  expect(lanes.size).toBe(0);
});

test("a lane is measured from when it has a queue: a trickle before a burst does not make it slow", () => {
  const lanes = new Lanes<Entry>({ concurrencyOf: () => 1 });
  const rateAt = (now: number) =>
    [...lanes.all()].map((lane) => lane.completedPerSecond(now));
  for (let now = 0; now < 10_000; now += 500) {
    lanes.push("a", new Entry("a", 0), now);
    lanes.settle(lanes.take()!.lane!, true);
  }

  for (let n = 0; n < 200; n++) lanes.push("a", new Entry("a", n), 10_000);
  for (let n = 0; n < 100; n++) lanes.settle(lanes.take()!.lane!, true);

  expect(rateAt(10_900)).toEqual([null]);
  expect(rateAt(11_000)).toEqual([100]);
});

test("a lane that has stopped completing is at rate 0 two turns later, however long it was quick", () => {
  const lanes = new Lanes<Entry>({ concurrencyOf: () => 1 });
  for (let n = 0; n < 5001; n++) lanes.push("a", new Entry("a", n), 0);
  for (let second = 1; second <= 5; second++) {
    for (let n = 0; n < 1000; n++) lanes.settle(lanes.take()!.lane!, true);
    lanes.turnMeasures(second * 1000);
  }
  const [lane] = [...lanes.all()];
  expect(lane!.completedPerSecond(5500)).toBeCloseTo(667, 0);

  lanes.turnMeasures(6000);
  lanes.turnMeasures(7000);

  expect(lane!.completedPerSecond(7500)).toBe(0);
  expect(lanes.ratePerSecond(7500)).toBe(0);
});

test("records in flight count as just completed in a lane's rate, and in that of all lanes", () => {
  const lanes = new Lanes<Entry>({ concurrencyOf: () => 3 });
  for (const name of ["a", "b"])
    for (let n = 0; n < 9; n++) lanes.push(name, new Entry(name, n), 0);
  for (let n = 0; n < 4; n++) lanes.take();

  expect([...lanes.all()].map((lane) => lane.ratePerSecond(1000))).toEqual([
    2, 2,
  ]);
  expect(lanes.ratePerSecond(1000)).toBe(4);
  lanes.restartMeasures(1000);
  expect(lanes.ratePerSecond(1100)).toBeNull();
});

test("a lane at its rate limit starts nothing until its time, holds no other lane up, and then goes on in order", () => {
  let now = 0;
  let alarmAt = Infinity;
  let nextStartAt = 0;
  const limit = { perSecond: 10, nextStartAt: () => nextStartAt };
  const lanes = new Lanes<Entry>({
    concurrencyOf: () => 5,
    limits: {
      limitOf: (lane) => (lane === "limited" ? limit : undefined),
      now: () => now,
      throttledUntil: (at) => (alarmAt = at),
    },
  });
  for (let n = 0; n < 3; n++) lanes.push("limited", new Entry("limited", n), 0);

  expect(lanes.take()?.n).toBe(0);
  nextStartAt = 100;
  expect(lanes.take()).toBeNull();
  expect(alarmAt).toBe(100);
  lanes.push("free", new Entry("free", 9), 0);
  expect(lanes.take()?.n).toBe(9);

  now = 100;
  lanes.unthrottle(now);
  expect(lanes.take()?.n).toBe(1);
  nextStartAt = 200;
  expect(lanes.take()).toBeNull();
  expect(alarmAt).toBe(200);
});

test("a lane at a limit that is far away is looked at again after a second: its limit may have been lifted", () => {
  let now = 0;
  let limit: { perSecond: number; nextStartAt: () => number } | undefined = {
    perSecond: 0.001,
    nextStartAt: () => 1_000_000,
  };
  const lanes = new Lanes<Entry>({
    concurrencyOf: () => 1,
    limits: {
      limitOf: () => limit,
      now: () => now,
      throttledUntil: () => undefined,
    },
  });
  lanes.push("a", new Entry("a", 0), 0);
  expect(lanes.take()).toBeNull();

  limit = undefined;
  now = 1_000;
  lanes.unthrottle(now);

  expect(lanes.take()?.n).toBe(0);
});

test("while winding down only proven lanes that are not retired start records", () => {
  const lanes = new Lanes<Entry>({
    concurrencyOf: () => 1,
    standingOf: (lane) => (lane === "new" ? "unknown" : "proven"),
  });
  const push = (name: string, n: number) => {
    const entry = new Entry(name, n);
    lanes.push(name, entry, 0);
    return entry;
  };
  push("new", 0);
  const retired = push("retired", 1);
  push("quick", 2);

  lanes.windDown(() => true);
  lanes.retire(retired.lane!);
  push("new", 3);
  push("retired", 4);

  expect(lanes.take()?.name).toBe("quick");
  expect(lanes.hasReady).toBe(false);
});

test("a retired lane stays retired when it was empty in between", () => {
  const lanes = new Lanes<Entry>({ concurrencyOf: () => 2 });
  lanes.push("a", new Entry("a", 0), 0);
  lanes.windDown(() => true);
  const { lane } = lanes.take()!;
  lanes.retire(lane!);

  lanes.settle(lane!, true);
  expect(lanes.size).toBe(0);
  lanes.push("a", new Entry("a", 1), 0);

  expect(lanes.take()).toBe(null);
});

test("while winding down a ready lane that turns suspect starts no further record", () => {
  let standing: LaneStanding = "proven";
  const lanes = new Lanes<Entry>({
    concurrencyOf: () => 2,
    standingOf: () => standing,
  });
  for (const n of [0, 1, 2]) lanes.push("a", new Entry("a", n), 0);
  lanes.windDown(() => true);
  const first = lanes.take()!;

  standing = "suspect";
  lanes.settle(first.lane!, true);

  expect(lanes.take()).toBe(null);
});

test("a lane that stands worse than when it became ready waits among lanes of its new standing, until one of its records ends", () => {
  const standings = new Map<string, LaneStanding>();
  const lanes = new Lanes<Entry>({
    concurrencyOf: () => 16,
    standingOf: (lane) => standings.get(lane) ?? "proven",
    slots: 16,
  });
  for (const n of [0, 1, 2, 3]) lanes.push("silent", new Entry("silent", n), 0);
  const first = lanes.take()!;
  expect(lanes.take()?.n).toBe(1);
  lanes.push("well", new Entry("well", 0), 0);

  // All lanes that are suspect may hold an eighth of the slots, two.
  standings.set("silent", "suspect");
  expect(lanes.take()?.name).toBe("well");
  expect(lanes.take()).toBe(null);

  standings.set("silent", "proven");
  lanes.settle(first.lane!, true);
  expect(lanes.take()?.n).toBe(2);
});
