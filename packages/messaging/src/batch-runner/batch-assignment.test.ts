import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { BatchModel } from "./batch-model.fixture.ts";

const places = fc.array(fc.tuple(fc.nat(4), fc.nat(11)), { maxLength: 5 });

const worlds = fc.record({
  gaps: fc.array(
    fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 12 }),
    { minLength: 1, maxLength: 5 },
  ),
  bad: places,
  unreadable: places,
  // "max": otherwise fast-check makes short lists only, and nothing crashes once a batch is announced.
  crashes: fc.oneof(
    fc.array(fc.boolean(), { maxLength: 60, size: "max" }),
    fc.array(
      fc.nat(9).map((n) => n === 0),
      { maxLength: 150, size: "max" },
    ),
  ),
  generations: fc.array(
    fc.record({
      owners: fc.integer({ min: 1, max: 3 }),
      maxRecords: fc.integer({ min: 1, max: 30 }),
      mayShare: fc.integer({ min: 0, max: 3 }).map((n) => n > 0),
    }),
    { minLength: 1, maxLength: 4 },
  ),
});

function layOut({
  gaps,
  bad,
  unreadable,
  ...world
}: typeof worlds extends fc.Arbitrary<infer World> ? World : never) {
  const logs = gaps.map((steps) => {
    let offset = 100;
    return steps.map((step) => (offset += step));
  });
  const pick = (picks: readonly (readonly [number, number])[]) =>
    new Set(
      picks
        .filter(([partition, n]) => logs[partition]?.[n] !== undefined)
        .map(([partition, n]) => `${partition}/${logs[partition]![n]}`),
    );
  const lost = { bad: pick(bad), unreadable: pick(unreadable) };
  return {
    ...world,
    ...lost,
    logs,
    places: logs.flatMap((log, n) => log.map((offset) => `${n}/${offset}`)),
    refused: new Set([...lost.bad, ...lost.unreadable]),
  };
}

test("whoever crashes between whichever steps, and whoever owns the partitions next, each good row is inserted and viewed once, and each bad record makes one dead letter", async () => {
  let widest = 0;
  await fc.assert(
    fc.asyncProperty(worlds.map(layOut), async (world) => {
      const model = new BatchModel(world);

      await model.recordAll();

      const { places, refused } = world;
      const good = places.filter((place) => !refused.has(place)).sort();
      expect([...model.rows].sort()).toEqual(good);
      expect([...model.viewed].sort()).toEqual(good);
      // A crash can repeat a dead letter, but then both are equal: same place, same time.
      const distinct = new Set(
        model.deadLetters.map(({ place, at }) => `${place}@${at}`),
      );
      expect(distinct.size).toBe(refused.size);
      expect(new Set(model.deadLetters.map(({ place }) => place))).toEqual(
        refused,
      );
      widest = Math.max(widest, model.widest);
    }),
    { numRuns: 200 },
  );
  expect(widest).toBeGreaterThan(1);
});

// One for a partition: rows written after a second one would have the names of those after the first.
const elections = fc.uniqueArray(
  fc.record({
    partition: fc.nat(4),
    after: fc.integer({ min: 1, max: 8 }),
    kept: fc.oneof(fc.constant(0), fc.nat(6)),
    written: fc.oneof(fc.constant(12), fc.nat(12)),
  }),
  { minLength: 1, maxLength: 4, selector: ({ partition }) => partition },
);

test("an unclean election that cuts a log does not double a row, and takes none from the other partitions", async () => {
  await fc.assert(
    fc.asyncProperty(worlds.map(layOut), elections, async (world, cuts) => {
      const isCut = (place: string) =>
        cuts.some(({ partition }) => place.startsWith(`${partition}/`));
      // ADR 24, "Not covered": the table would refuse the block with this record, and take it once the record is gone.
      const bad = new Set([...world.bad].filter((place) => !isCut(place)));
      const model = new BatchModel({ ...world, bad, elections: cuts });

      await model.recordAll();

      const whole = world.places.filter(
        (place) => !isCut(place) && !world.refused.has(place),
      );
      for (const all of [model.rows, model.viewed]) {
        expect(all.filter((place) => !isCut(place)).sort()).toEqual(
          [...whole].sort(),
        );
        expect(all.length).toBe(new Set(all).size);
      }
    }),
    { numRuns: 200 },
  );
});

test("in dead-letters itself a refused record becomes a reduced row, and no dead letter", async () => {
  await fc.assert(
    fc.asyncProperty(worlds.map(layOut), async (world) => {
      const model = new BatchModel({ ...world, isReducing: true });

      await model.recordAll();

      const { places, refused } = world;
      const expected = places.map((place) =>
        refused.has(place) ? `${place}/reduced` : place,
      );
      expect([...model.rows].sort()).toEqual(expected.sort());
      expect(model.deadLetters).toEqual([]);
    }),
    { numRuns: 100 },
  );
});
