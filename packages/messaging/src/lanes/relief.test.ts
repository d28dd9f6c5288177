import { expect, test } from "@jest/globals";
import fc from "fast-check";
import type { Lane, Queued } from "./lane.ts";
import { Lanes } from "./lanes.ts";
import { farTurns } from "./far-turns.ts";
import { relieve } from "./relief.ts";

class Entry implements Queued<Entry> {
  lane: Lane<Entry> | null = null;
  isInTurn = false;
  ahead: Entry | null = null;
  behind: Entry | null = null;
  readonly n: number;
  constructor(n: number) {
    this.n = n;
  }
}

/** Name, completions in its first second, records that wait. */
type Shape = readonly [name: string, completed: number, queued: number];

function lanesWith(...shapes: readonly Shape[]): Lanes<Entry> {
  const lanes = new Lanes<Entry>({ concurrencyOf: () => Infinity });
  for (const [name, completed] of shapes)
    for (let n = 0; n < completed; n++) lanes.push(name, new Entry(-1), 0);
  const taken: Entry[] = [];
  for (let entry = lanes.take(); entry !== null; entry = lanes.take())
    taken.push(entry);
  for (const [name, , queued] of shapes)
    for (let n = 0; n < queued; n++) lanes.push(name, new Entry(n), 0);
  for (const { lane } of taken)
    lanes.settle(lane!, true, lane!.name.startsWith("deferred"));
  return lanes;
}

const all = {
  now: 50_000,
  monotonic: 1000,
  load: { isSaturated: false, ratePerSecond: null },
  wants: () => true,
  hasTurn: () => false,
  most: 10_000,
};

test.each([
  ["a lane that drains within a second keeps everything", 100, 100, 0],
  ["a lane that is too slow keeps what it drains in a second", 100, 250, 150],
  ["a lane that completes nothing keeps one", 0, 40, 39],
])("%s", (_name, completed, queued, given) => {
  const lanes = lanesWith(["a", completed, queued]);

  const relieved = relieve(lanes.all(), all);

  expect(relieved.map(({ entry }) => entry.n)).toEqual(
    Array.from({ length: given }, (_, i) => queued - given + i),
  );
});

test("a lane that has not been measured for long enough hands over nothing", () => {
  const lanes = new Lanes<Entry>({ concurrencyOf: () => 1 });
  for (let n = 0; n < 1000; n++) lanes.push("a", new Entry(n), 900);

  expect(relieve(lanes.all(), all)).toEqual([]);
});

test("slots ascend in the order of the topic, spaced by the lane's rate, and go on where the last relief ended", () => {
  const lanes = lanesWith(["a", 10, 15]);

  const first = relieve(lanes.all(), { ...all, most: 3 });
  for (const { entry } of first) lanes.remove(entry);
  const second = relieve(lanes.all(), { ...all, monotonic: 1001 });

  expect(first.map(({ entry, slotAt }) => [entry.n, slotAt])).toEqual([
    [12, 51_000],
    [13, 51_100],
    [14, 51_200],
  ]);
  expect(first.some(({ isTurn }) => isTurn)).toBe(false);
  expect(second[0]!.slotAt).toBeGreaterThanOrEqual(51_300);
});

test("the slowest lane hands over first", () => {
  const lanes = lanesWith(["slow", 50, 200], ["slower", 10, 200]);

  const relieved = relieve(lanes.all(), { ...all, most: 5 });

  expect(new Set(relieved.map(({ entry }) => entry.lane!.name))).toEqual(
    new Set(["slower"]),
  );
});

function relievedOf(shapes: readonly Shape[], isSaturated: boolean): string[] {
  const lanes = lanesWith(...shapes);
  const ratePerSecond = lanes.ratePerSecond(1000);
  const relieved = relieve(lanes.all(), {
    ...all,
    load: { isSaturated, ratePerSecond },
  });
  return [...new Set(relieved.map(({ entry }) => entry.lane!.name))].toSorted();
}

test.each<[string, readonly Shape[], idle: string[], saturated: string[]]>([
  [
    "an overload that all share",
    [
      ["a", 100, 300],
      ["b", 110, 280],
      ["c", 90, 310],
    ],
    ["a", "b", "c"],
    [],
  ],
  ["a single lane, healthy and overloaded", [["a", 500, 4000]], ["a"], []],
  [
    "a black hole among healthy ones",
    [
      ["a", 100, 150],
      ["b", 100, 150],
      ["hole", 0, 400],
    ],
    ["a", "b", "hole"],
    ["hole"],
  ],
  [
    "a slow one among healthy ones",
    [
      ["a", 300, 600],
      ["b", 300, 600],
      ["slow", 20, 900],
    ],
    ["a", "b", "slow"],
    ["slow"],
  ],
  [
    "lanes of equal pace, one of which has its partition for itself",
    [
      ["alone", 100, 4000],
      ["b", 100, 800],
      ["c", 100, 800],
      ["d", 100, 800],
      ["e", 100, 800],
    ],
    ["alone", "b", "c", "d", "e"],
    [],
  ],
  [
    "a black hole with less than a second's queue of the others",
    [
      ["a", 1000, 900],
      ["hole", 0, 100],
    ],
    ["hole"],
    ["hole"],
  ],
  [
    "nothing but black holes: fetching pauses, or each of them gives",
    [
      ["a", 0, 100],
      ["b", 0, 100],
    ],
    ["a", "b"],
    [],
  ],
])("%s", (_name, shapes, idle, saturated) => {
  expect(relievedOf(shapes, false)).toEqual(idle);
  expect(relievedOf(shapes, true)).toEqual(saturated);
});

test("beside a lane whose records end at once, because they are deferred, no other is slow for that, nor is that one", () => {
  const healthy: Shape[] = [
    ["a", 100, 400],
    ["b", 100, 400],
  ];
  const deferring: Shape = ["deferred", 3_000, 4_000];

  expect(relievedOf([...healthy, deferring], true)).toEqual([]);
  expect(relievedOf([...healthy, deferring, ["hole", 0, 400]], true)).toEqual([
    "hole",
  ]);
});

test("a lane counts as one whose records end at once for up to two seconds after such an end", () => {
  const lanes = lanesWith(["deferred", 10, 10]);
  const [lane] = [...lanes.all()];

  const seen = [1_000, 2_000, 3_000].map((now) => {
    const { endsAtOnce } = lane!;
    lanes.turnMeasures(now);
    return endsAtOnce;
  });

  expect(seen).toEqual([true, true, false]);
});

test("saturation only ever spares lanes; it never spares one that completes nothing while the others are quick", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ completed: fc.nat(30), queued: fc.nat(200) }), {
        minLength: 1,
        maxLength: 6,
      }),
      (others) => {
        const shapes = others.map(({ completed, queued }, i): Shape => [
          `l${i}`,
          completed,
          queued,
        ]);

        const idle = relievedOf(shapes, false);
        const saturated = relievedOf(shapes, true);
        expect(idle).toEqual(expect.arrayContaining(saturated));

        const healthy = shapes.map(([name, completed, queued]): Shape => [
          name,
          completed + 1,
          queued + 1,
        ]);
        const withHole = relievedOf([...healthy, ["hole", 0, 2]], true);
        expect(withHole).toContain("hole");
      },
    ),
  );
});

test("in a saturated process whose own rate is not measured yet, nothing is relieved", () => {
  const lanes = lanesWith(["hole", 0, 400]);
  const load = { isSaturated: true, ratePerSecond: null };

  expect(relieve(lanes.all(), { ...all, load })).toEqual([]);
});

test("relief never chooses more records than asked for, nor unwanted ones, nor a slot in the past or beyond five minutes", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ completed: fc.nat(30), queued: fc.nat(200) }), {
        minLength: 1,
        maxLength: 5,
      }),
      fc.nat(100),
      (shapes, most) => {
        const lanes = lanesWith(
          ...shapes.map(({ completed, queued }, i): Shape => [
            `l${i}`,
            completed,
            queued,
          ]),
        );

        const relieved = relieve(lanes.all(), {
          ...all,
          most,
          wants: ({ n }) => n % 2 === 0,
        });

        expect(relieved.length).toBeLessThanOrEqual(most);
        expect(new Set(relieved.map(({ entry }) => entry)).size).toBe(
          relieved.length,
        );
        for (const { entry, slotAt } of relieved) {
          expect(entry.n % 2).toBe(0);
          expect(slotAt).toBeGreaterThanOrEqual(all.now + 1000);
          expect(slotAt).toBeLessThanOrEqual(all.now + 300_000);
        }
      },
    ),
  );
});

test("a backlog that is deferred while the process is saturated comes back after 64 s, however slow its lane was", () => {
  const lanes = lanesWith(["a", 500, 400], ["slow", 2, 4000]);
  const load = { isSaturated: true, ratePerSecond: 502 };

  const relieved = relieve(lanes.all(), { ...all, load });

  expect(relieved.length).toBeGreaterThan(1000);
  expect(Math.max(...relieved.map(({ slotAt }) => slotAt))).toBe(
    all.now + 64_000,
  );
});

/** So many unknown lanes with a record each, of which `slots` have started and `completed` have ended. */
function heldBack(count: number, slots: number, completed: number) {
  const lanes = new Lanes<Entry>({
    concurrencyOf: () => 1,
    standingOf: () => "unknown",
    slots: 2 * slots,
  });
  for (let n = 0; n < count; n++) lanes.push(`l${n}`, new Entry(n), 0);
  const taken: Entry[] = [];
  const start = (): void => {
    for (let one = lanes.take(); one !== null; one = lanes.take())
      taken.push(one);
  };
  start();
  for (let n = 0; n < completed; n++) {
    lanes.settle(taken.shift()!.lane!, true);
    start();
  }
  return lanes;
}

test.each([
  ["nothing completes", 0, false, 90],
  ["nothing completes, and the process is saturated by others", 0, true, 90],
  ["they would wait for 29 seconds", 3, false, 0],
  ["they would wait for 43 seconds", 2, false, 88],
])(
  "lanes that are held back by their standing give their only record if their turn is too far: %s",
  (_why, completed, isSaturated, given) => {
    const lanes = heldBack(100, 10, completed);
    const load = { isSaturated, ratePerSecond: 100 };

    const relieved = relieve(lanes.all(), { ...all, load });

    expect(relieved).toHaveLength(given);
    for (const { slotAt } of relieved) expect(slotAt).toBe(all.now + 32_000);
  },
);

function throttledLanes(perSecond: number, nextStartAt: number) {
  const limit = { perSecond, nextStartAt: () => nextStartAt, isAsked: true };
  const lanes = new Lanes<Entry>({
    concurrencyOf: () => 1,
    limits: {
      limitOf: () => (limit.isAsked ? limit : undefined),
      now: () => all.monotonic,
      throttledUntil: () => undefined,
    },
  });
  return { lanes, limit };
}

test("a throttled lane hands over what cannot start within a second, each record until its turn by the limit, however far away, in order over several calls", () => {
  const { lanes } = throttledLanes(2, all.monotonic + 500);
  for (let n = 0; n < 4_000; n++) lanes.push("a", new Entry(n), 0);
  const isSaturated = { isSaturated: true, ratePerSecond: 1_000 };

  const relieved = Array.from({ length: 3 }, () => {
    const some = relieve(lanes.all(), { ...all, load: isSaturated, most: 500 });
    for (const { entry } of some) lanes.remove(entry);
    return some;
  }).flat();

  expect(relieved.map(({ entry, slotAt }) => [entry.n, slotAt])).toEqual(
    Array.from({ length: 1_500 }, (_, i) => [2 + i, all.now + (3 + i) * 500]),
  );
});

test("of many throttled lanes with one record each, those whose turn is far away hand it over", () => {
  const { lanes } = throttledLanes(0.001, all.monotonic + 900_000);
  for (let n = 0; n < 100; n++) lanes.push(`a${n}`, new Entry(n), 0);

  const relieved = relieve(lanes.all(), all);

  expect(new Set(relieved.map(({ slotAt }) => slotAt))).toEqual(
    new Set([all.now + 900_000]),
  );
  expect(relieved).toHaveLength(100);
  expect(relieved.every(({ isTurn }) => isTurn)).toBe(true);
});

test("while turns are reserved a fresh record goes behind them, and one that comes back for its turn stays", () => {
  const { lanes } = throttledLanes(1, all.monotonic + 1_000);
  for (let n = 0; n < 100; n++) lanes.push("a", new Entry(n), 0);
  for (const { entry } of relieve(lanes.all(), all)) lanes.remove(entry);
  lanes.push("a", new Entry(1_000), 0);
  lanes.push("a", new Entry(1), 0);

  const later = { ...all, now: all.now + 1_000, monotonic: all.monotonic };
  const hasTurn = ({ n }: Entry) => n < 1_000;
  const relieved = farTurns([...lanes.all()][0]!, {
    ...later,
    hasTurn,
    beyondMs: 32_000,
  });

  expect(relieved.map(({ entry, slotAt }) => [entry.n, slotAt])).toEqual([
    [1_000, all.now + 101_000],
  ]);
});

test("turns stay reserved while the limit holds nothing back, because the endpoint's breaker is open", () => {
  const { lanes, limit } = throttledLanes(1, all.monotonic + 1_000);
  for (let n = 0; n < 100; n++) lanes.push("a", new Entry(n), 0);
  for (const { entry } of relieve(lanes.all(), all)) lanes.remove(entry);
  const [lane] = [...lanes.all()];
  const reserved = lane!.nextTurn;

  limit.isAsked = false;
  lanes.sweep(all.now + 5_000);

  expect(reserved).toEqual({ at: all.now + 101_000, perSecond: 1 });
  expect(lane!.nextTurn).toEqual(reserved);
});

test("after a change of the limit as many turns are reserved as before, at the new rate", () => {
  const { lanes, limit } = throttledLanes(1, all.monotonic + 1_000);
  for (let n = 0; n < 1_001; n++) lanes.push("a", new Entry(n), 0);
  for (const { entry } of relieve(lanes.all(), all)) lanes.remove(entry);
  const [lane] = [...lanes.all()];
  expect(lane!.nextTurn).toEqual({ at: all.now + 1_002_000, perSecond: 1 });

  limit.perSecond = 1_000;
  lane!.throttle = { ...lane!.throttle!, perSecond: 1_000 };
  for (let n = 0; n < 2_000; n++) lanes.push("a", new Entry(n), 0);
  const [first] = relieve(lanes.all(), all);

  expect(first!.slotAt).toBe(all.now + 1_002);
});

const STEP_MS = 100;
const MOST = 500;

/**
 * A lane with a rate limit in simulated time, of which each step is 100 ms. Every `everyMs`, and at once if there may be more, it hands over what
 * is further away than `beyondMs`, which waits in a tier until its turn and comes back so much later as `lateMs` says.
 */
function limitedLane(options: {
  readonly perSecond: number;
  readonly beyondMs: number;
  readonly everyMs?: number;
  readonly lateMs?: (entry: Entry) => number;
}) {
  const { perSecond, beyondMs, everyMs = 1_000, lateMs = () => 0 } = options;
  let now = 0;
  let startAt = 0;
  let lookAt = 0;
  const limit = { perSecond, nextStartAt: () => startAt };
  const lanes = new Lanes<Entry>({
    concurrencyOf: () => 100,
    limits: {
      limitOf: () => limit,
      now: () => now,
      throttledUntil: () => undefined,
    },
  });
  /** What waits in tiers, by the time at which it comes back. */
  const waiting = new Map<number, Entry[]>();
  /** How often a record was handed over. */
  const handOvers = new Map<number, number>();
  const starts: { readonly n: number; readonly at: number }[] = [];

  const handOver = ({ entry, slotAt }: { entry: Entry; slotAt: number }) => {
    lanes.remove(entry);
    handOvers.set(entry.n, (handOvers.get(entry.n) ?? 0) + 1);
    const backAt = slotAt + lateMs(entry);
    const step = Math.max(now + STEP_MS, Math.ceil(backAt / STEP_MS) * STEP_MS);
    waiting.set(step, [...(waiting.get(step) ?? []), entry]);
  };
  const step = (): void => {
    for (const entry of waiting.get(now) ?? []) lanes.push("a", entry, now);
    waiting.delete(now);
    lanes.unthrottle(now);
    for (let one = lanes.take(); one !== null; one = lanes.take()) {
      starts.push({ n: one.n, at: now });
      startAt = Math.max(startAt, now) + 1_000 / limit.perSecond;
      lanes.settle(one.lane!, true);
    }
    for (const lane of now >= lookAt ? lanes.all() : []) {
      const far = farTurns(lane, {
        now,
        monotonic: now,
        beyondMs,
        hasTurn: ({ n }) => handOvers.has(n),
        wants: () => true,
        most: MOST,
      });
      far.forEach(handOver);
      lookAt = now + (far.length < MOST ? everyMs : STEP_MS);
    }
    now += STEP_MS;
  };
  return {
    limit,
    handOvers,
    starts,
    now: () => now,
    push: (n: number) => lanes.push("a", new Entry(n), now),
    step,
    /** The pauses between starts, ms. */
    pauses: () => starts.slice(1).map(({ at }, n) => at - starts[n]!.at),
  };
}

test.each([
  [10, 1],
  [10, 5],
  [2, 10],
])(
  "when the limit is changed from %i to %i a second, what comes back for its turn starts as fast as the new limit allows",
  (before, after) => {
    const BACKLOG = 300;
    const lane = limitedLane({ perSecond: before, beyondMs: 1_000 });
    for (let n = 0; n < BACKLOG; n++) lane.push(n);

    while (lane.starts.length < BACKLOG && lane.now() < 3_600_000) {
      if (lane.now() === 2_000) lane.limit.perSecond = after;
      lane.step();
    }

    expect(lane.starts).toHaveLength(BACKLOG);
    expect(Math.max(...lane.pauses())).toBeLessThanOrEqual(2_000);
  },
);

test.each([
  // As the runner looks while there is room, and under pressure.
  { beyondMs: 32_000, everyMs: 1_000 },
  { beyondMs: 1_000, everyMs: STEP_MS },
])(
  "of 10,000 that wait at one a second, beside fresh ones that come as fast, each is handed over once at most, and they start in order, one a second (beyond $beyondMs ms)",
  ({ beyondMs, everyMs }) => {
    const [BACKLOG, FRESH] = [10_000, 2_000];
    // A wait in the tiers is late by less than a second.
    const lateMs = ({ n }: Entry) => ((n * 7) % 10) * STEP_MS;
    const lane = limitedLane({ perSecond: 1, beyondMs, everyMs, lateMs });
    for (let n = 0; n < BACKLOG; n++) lane.push(n);

    let all = BACKLOG;
    for (; lane.now() <= (BACKLOG + FRESH) * 1_000; lane.step())
      if (lane.now() % 1_000 === 300 && all < BACKLOG + FRESH) lane.push(all++);

    expect(Math.min(...lane.pauses())).toBeGreaterThanOrEqual(1_000);
    expect(lane.starts).toHaveLength(all);
    // While one that comes back is late, a fresh one may take its turn. The others are behind their turns from then on, and leave none free.
    const order = lane.starts.map(({ n }) => n);
    const lastWaited = order.findLastIndex((n) => n < BACKLOG);
    const early = order.slice(0, lastWaited).filter((n) => n >= BACKLOG);
    expect(early.length).toBeLessThanOrEqual(2);
    const inTurn = order.filter((n) => !early.includes(n));
    expect(inTurn).toEqual(inTurn.toSorted((a, b) => a - b));
    expect(Math.max(...lane.handOvers.values())).toBe(1);
  },
);
