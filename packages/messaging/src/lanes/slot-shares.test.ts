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

  constructor(name: string) {
    this.name = name;
  }
}

const STANDINGS = ["proven", "unknown", "quiet", "suspect"] as const;

/** A lane is called `tenant/standing/anything`. */
const tenantOf = (lane: string): string => lane.split("/")[0]!;
// These tests make the names, so the cast is true.
const standingOf = (lane: string): LaneStanding =>
  lane.split("/")[1] as LaneStanding;

function lanesWith(
  slots: number,
  { concurrency = 1, standing = standingOf } = {},
) {
  const lanes = new Lanes<Entry>({
    concurrencyOf: () => concurrency,
    standingOf: standing,
    slots,
    hasGroups: true,
  });
  /** Queues one record in each of so many lanes of a kind. */
  const push = (kind: string, count: number, records = 1): void => {
    for (let n = 0; n < count; n++)
      for (let record = 0; record < records; record++) {
        const name = `${kind}/${n}`;
        lanes.push(name, new Entry(name), 0, tenantOf(name));
      }
  };
  /** Starts every record that may start now; none of them ends. */
  const takeAll = (): Entry[] => {
    const taken: Entry[] = [];
    for (let one = lanes.take(); one !== null; one = lanes.take())
      taken.push(one);
    return taken;
  };
  return { lanes, push, takeAll };
}

const countOf = (entries: readonly Entry[], kind: string): number =>
  entries.filter(({ name }) => name.startsWith(kind)).length;

test.each([
  // standing, and how many of 1,000, 40, 8 and 1 slots
  { standing: "suspect", most: [125, 5, 1, 1] },
  { standing: "quiet", most: [125, 5, 1, 1] },
  { standing: "unknown", most: [500, 20, 4, 1] },
  { standing: "proven", most: [1000, 40, 8, 1] },
])(
  "$standing lanes of many tenants take $most of 1,000, 40, 8 and 1 slots, however many wait",
  ({ standing, most }) => {
    for (const [at, slots] of [1000, 40, 8, 1].entries()) {
      const { lanes, push, takeAll } = lanesWith(slots);
      for (let tenant = 0; tenant < 2000; tenant++)
        push(`t${tenant}/${standing}`, 2);

      expect(takeAll()).toHaveLength(most[at]!);
      expect(lanes.hasReady).toBe(false);
    }
  },
);

test.each([[1000], [100], [40], [10]])(
  "of %d slots a quarter at least stays for lanes that answer, though all others want every one",
  (slots) => {
    const { push, takeAll } = lanesWith(slots);
    for (let tenant = 0; tenant < slots; tenant++) {
      push(`t${tenant}/unknown`, 3);
      push(`t${tenant}/quiet`, 3);
      push(`t${tenant}/suspect`, 3);
    }
    takeAll();

    for (let tenant = 0; tenant < slots; tenant++) push(`t${tenant}/proven`, 1);

    expect(takeAll().length).toBeGreaterThanOrEqual(slots / 4);
  },
);

test("lanes that have become quiet hold what they held, and take no slot from those that must be tried again", () => {
  let isQuiet = false;
  const standing = (lane: string): LaneStanding => {
    const own = standingOf(lane);
    return own === "proven" && isQuiet ? "quiet" : own;
  };
  const { lanes, push, takeAll } = lanesWith(1000, { standing });
  push("slow/proven", 400);
  takeAll();

  isQuiet = true;
  push("slow/proven", 400);
  push("other/suspect", 10);
  push("new/unknown", 10);

  expect(
    takeAll()
      .map(({ name }) => tenantOf(name))
      .toSorted(),
  ).toEqual([
    ...Array.from({ length: 10 }, () => "new"),
    ...Array.from({ length: 10 }, () => "other"),
  ]);
  expect(lanes.hasReady).toBe(false);
});

test("a tenant that holds nearly all slots leaves some for tenants that come later, in each standing", () => {
  for (const standing of STANDINGS) {
    const { push, takeAll } = lanesWith(1000);
    push(`greedy/${standing}`, 5000);
    const held = takeAll().length;
    push(`new/${standing}`, 10);

    expect(takeAll().map(({ name }) => tenantOf(name))).toEqual(
      Array.from({ length: 10 }, () => "new"),
    );
    expect(held).toBeGreaterThan(100);
  }
});

test("a slot that becomes free goes to the tenant with the fewest, until all hold about as many", () => {
  const { lanes, push, takeAll } = lanesWith(100);
  push("greedy/proven", 1000);
  let held = takeAll();
  push("modest/proven", 1000);

  for (let round = 0; round < 100; round++) {
    const over = held.findIndex(({ name }) => tenantOf(name) === "greedy");
    lanes.settle(held[over]!.lane!, true);
    held = [...held.toSpliced(over, 1), ...takeAll()];
  }

  const ratio = countOf(held, "greedy") / countOf(held, "modest");
  expect(ratio).toBeGreaterThan(0.5);
  expect(ratio).toBeLessThan(2);
});

test.each([{ dead: ["dead"] }, { dead: ["dead", "gone", "paused"] }])(
  "tenants whose records end at once ($dead) never hold a slot, and leave half of the starts to those that do",
  ({ dead }) => {
    const { lanes, push } = lanesWith(1000, { concurrency: Infinity });
    for (const tenant of dead) push(`${tenant}/proven`, 1, 1_000);
    push("well/proven", 10, 100);
    let well = 0;

    for (let starts = 0; starts < 300; starts++) {
      const entry = lanes.take()!;
      if (tenantOf(entry.name) === "well") well++;
      else lanes.settle(entry.lane!, true, true);
    }

    expect(well).toBeGreaterThan(140);
    expect(well).toBeLessThan(160);
  },
);

test("without groups one tenant may use all slots", () => {
  const lanes = new Lanes<Entry>({ concurrencyOf: () => 1, slots: 100 });
  for (let n = 0; n < 200; n++) lanes.push(`l${n}`, new Entry(`l${n}`), 0);
  let taken = 0;
  while (lanes.take() !== null) taken++;

  expect(taken).toBe(100);
  expect(lanes.isShort).toBe(true);
});

test("when a lane's standing changes, its slots and its waiting records move to the new standing", () => {
  const now = new Map<string, LaneStanding>();
  const { lanes, push, takeAll } = lanesWith(80, {
    concurrency: 2,
    standing: (lane) => now.get(lane) ?? standingOf(lane),
  });
  push("a/unknown", 100, 3);
  const taken = takeAll();
  expect(lanes.hasReady).toBe(false);

  // One of them answers: its second record need not wait among the unknown.
  const [first] = taken;
  now.set(first!.name, "proven");
  lanes.settle(first!.lane!, true);

  const next = takeAll().map(({ name }) => name);
  expect(next.filter((name) => name === first!.name)).toHaveLength(2);
  // And its slot among the unknown is free.
  expect(next.length).toBeGreaterThan(2);
});

test("a lane that waits only because of its standing does not make the process short of slots", () => {
  const suspects = lanesWith(8);
  suspects.push("a/suspect", 5);
  suspects.takeAll();
  expect(suspects.lanes.isShort).toBe(false);

  suspects.push("b/proven", 9);
  suspects.takeAll();
  expect(suspects.lanes.isShort).toBe(true);
});

const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("push" as const),
      tenant: fc.nat(4),
      lane: fc.nat(9),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("take" as const) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("settle" as const),
      which: fc.nat(100),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("remove" as const),
      which: fc.nat(100),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("know" as const),
      tenant: fc.nat(4),
      lane: fc.nat(9),
      standing: fc.constantFrom(...STANDINGS),
    }),
  },
);

test("whatever happens, bounds hold at each start, no tenant without a slot waits while one is free, and every record starts", () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 400 }),
      fc.integer({ min: 1, max: 24 }),
      (steps, slots) => {
        const known = new Map<string, LaneStanding>();
        const standing = (lane: string) => known.get(lane) ?? "unknown";
        const { lanes } = lanesWith(slots, { concurrency: 2, standing });
        const queued: Entry[] = [];
        const flying: Entry[] = [];
        const most = {
          proven: slots,
          unknown: Math.max(1, Math.floor(slots / 2)),
          quiet: Math.max(1, Math.floor(slots / 8)),
          suspect: Math.max(1, Math.floor(slots / 8)),
        };
        // The standing as the lanes saw it last: they read it only when a record of the lane is queued, starts or ends.
        const seen = (entry: Entry) => entry.lane!.share.standing.name;
        const held = (of: LaneStanding, tenant?: string) =>
          flying.filter(
            (one) =>
              seen(one) === of &&
              (tenant === undefined || tenantOf(one.name) === tenant),
          ).length;

        const take = (): boolean => {
          const entry = lanes.take();
          if (entry === null) {
            if (flying.length >= slots) return false;
            for (const one of queued)
              if (
                one.lane!.isReady &&
                held(seen(one), tenantOf(one.name)) === 0
              )
                expect(held(seen(one))).toBeGreaterThanOrEqual(most[seen(one)]);
            return false;
          }
          expect(flying.length).toBeLessThan(slots);
          expect(held(seen(entry))).toBeLessThan(most[seen(entry)]);
          queued.splice(queued.indexOf(entry), 1);
          flying.push(entry);
          return true;
        };

        for (const one of steps)
          switch (one.kind) {
            case "push": {
              const entry = new Entry(`t${one.tenant}/any/${one.lane}`);
              lanes.push(entry.name, entry, 0, tenantOf(entry.name));
              queued.push(entry);
              break;
            }
            case "take":
              take();
              break;
            case "settle": {
              const [entry] = flying.splice(
                one.which % (flying.length || 1),
                1,
              );
              if (entry !== undefined) lanes.settle(entry.lane!, true);
              break;
            }
            case "remove": {
              const [entry] = queued.splice(
                one.which % (queued.length || 1),
                1,
              );
              if (entry !== undefined) lanes.remove(entry);
              break;
            }
            case "know":
              known.set(`t${one.tenant}/any/${one.lane}`, one.standing);
          }

        while (queued.length > 0 || flying.length > 0) {
          while (take());
          const entry = flying.shift();
          expect(entry).toBeDefined();
          lanes.settle(entry!.lane!, true);
        }
        expect(lanes.queued).toBe(0);
        lanes.sweep(0);
        expect(lanes.size).toBe(0);
      },
    ),
  );
});
