import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { Lanes, type Lane, type Queued } from "./lanes.ts";
import { relieve } from "./relief.ts";

class Entry implements Queued<Entry> {
  lane: Lane<Entry> | null = null;
  ahead: Entry | null = null;
  behind: Entry | null = null;
  readonly n: number;
  constructor(n: number) {
    this.n = n;
  }
}

/** A lane that has completed `completed` in its first second and has `queued` records waiting. */
function laneWith(
  lanes: Lanes<Entry>,
  name: string,
  completed: number,
  queued: number,
): void {
  for (let n = 0; n < completed; n++) lanes.push(name, new Entry(-1), 0);
  const taken: Entry[] = [];
  for (let entry = lanes.take(); entry !== null; entry = lanes.take())
    taken.push(entry);
  for (let n = 0; n < queued; n++) lanes.push(name, new Entry(n), 0);
  for (const entry of taken) lanes.settle(entry.lane!, true);
}

const all = { now: 50_000, monotonic: 1000, wants: () => true, most: 10_000 };

test.each([
  ["a lane that drains within a second keeps everything", 100, 100, 0],
  ["a lane that is too slow keeps what it drains in a second", 100, 250, 150],
  ["a lane that completes nothing keeps one", 0, 40, 39],
])("%s", (_name, completed, queued, given) => {
  const lanes = new Lanes<Entry>(() => Infinity);
  laneWith(lanes, "a", completed, queued);

  const relieved = relieve(lanes.all(), all);

  expect(relieved.map(({ entry }) => entry.n)).toEqual(
    Array.from({ length: given }, (_, i) => queued - given + i),
  );
});

test("too young to be measured, a lane gives nothing", () => {
  const lanes = new Lanes<Entry>(() => 1);
  for (let n = 0; n < 1000; n++) lanes.push("a", new Entry(n), 900);

  expect(relieve(lanes.all(), all)).toEqual([]);
});

test("slots ascend in the order of the topic, apart by the lane's pace, and go on where the last relief ended", () => {
  const lanes = new Lanes<Entry>(() => Infinity);
  laneWith(lanes, "a", 10, 15);

  const first = relieve(lanes.all(), { ...all, most: 3 });
  for (const { entry } of first) lanes.remove(entry);
  const second = relieve(lanes.all(), { ...all, monotonic: 1001 });

  expect(first.map(({ entry, slotAt }) => [entry.n, slotAt])).toEqual([
    [12, 51_000],
    [13, 51_100],
    [14, 51_200],
  ]);
  expect(second[0]!.slotAt).toBeGreaterThanOrEqual(51_300);
});

test("the slowest lane gives first", () => {
  const lanes = new Lanes<Entry>(() => Infinity);
  laneWith(lanes, "slow", 50, 200);
  laneWith(lanes, "slower", 10, 200);

  const relieved = relieve(lanes.all(), { ...all, most: 5 });

  expect(new Set(relieved.map(({ entry }) => entry.lane!.name))).toEqual(
    new Set(["slower"]),
  );
});

test("never more than asked for, never one that is not wanted, and never a slot in the past or beyond an hour", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ completed: fc.nat(30), queued: fc.nat(200) }), {
        minLength: 1,
        maxLength: 5,
      }),
      fc.nat(100),
      (shapes, most) => {
        const lanes = new Lanes<Entry>(() => Infinity);
        shapes.forEach(({ completed, queued }, i) =>
          laneWith(lanes, `l${i}`, completed, queued),
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
          expect(slotAt).toBeLessThanOrEqual(all.now + 3_600_000);
        }
      },
    ),
  );
});
