import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { OffsetTracker } from "./offset-tracker.ts";

/** The answers that the tracker must give, computed from plain sets. */
function modelRuns(open: ReadonlySet<number>): number[] {
  const runs: number[] = [];
  for (const offset of [...open].toSorted((a, b) => a - b)) {
    const isNext = runs.length > 0 && runs.at(-2)! + runs.at(-1)! === offset;
    if (isNext) runs[runs.length - 1]!++;
    else runs.push(offset, 1);
  }
  return runs;
}

/** Small gaps, and some that skip whole words and blocks. */
const gap = fc.oneof(
  { weight: 20, arbitrary: fc.nat(3) },
  { weight: 1, arbitrary: fc.nat(3000) },
);
const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("open"),
      gap,
      times: fc.integer({ min: 1, max: 70 }),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant("close"),
      gap: fc.nat(1000),
      times: fc.integer({ min: 1, max: 20 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("advance"),
      gap,
      times: fc.constant(1),
    }),
  },
);

test("whatever is opened and closed in whatever order, base, next and runs are those of the open set", () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.nat(3000), fc.constant(2 ** 52)),
      fc.array(step, { maxLength: 100 }),
      (start, steps) => {
        const tracker = new OffsetTracker(start);
        const open = new Set<number>();
        let next = start;

        for (const { kind, gap: by, times } of steps) {
          if (kind === "advance") tracker.advance((next += by));
          for (let n = 0; n < times && kind === "open"; n++) {
            const offset = next + (n === 0 ? by : 0);
            tracker.open(offset);
            open.add(offset);
            next = offset + 1;
          }
          for (let n = 0; n < times && kind === "close" && open.size > 0; n++) {
            const chosen = [...open][(by * (n + 1)) % open.size]!;
            expect(tracker.isOpen(chosen)).toBe(true);
            expect(tracker.close(chosen)).toBe(true);
            expect(tracker.close(chosen)).toBe(false);
            expect(tracker.isOpen(chosen)).toBe(false);
            open.delete(chosen);
          }

          const runs = modelRuns(open);
          expect(tracker.next).toBe(next);
          expect(tracker.openCount).toBe(open.size);
          expect(tracker.runs()).toEqual(runs);
          expect(tracker.runCount).toBe(runs.length / 2);
          expect(tracker.base).toBe(runs[0] ?? next);
        }
      },
    ),
  );
});

test("`advance` never lowers `next`", () => {
  const tracker = new OffsetTracker(10);

  tracker.advance(5);

  expect(tracker.next).toBe(10);
});

test("an offset below `next` cannot be opened", () => {
  const tracker = new OffsetTracker(10);

  expect(() => tracker.open(9)).toThrow(RangeError);
});
