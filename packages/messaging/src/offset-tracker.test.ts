import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { OffsetTracker, OpenOffset } from "./offset-tracker.ts";

/** What the tracker must say, from plain sets. */
function modelRuns(open: ReadonlySet<number>): number[] {
  const runs: number[] = [];
  for (const offset of [...open].toSorted((a, b) => a - b)) {
    const isNext = runs.length > 0 && runs.at(-2)! + runs.at(-1)! === offset;
    if (isNext) runs[runs.length - 1]!++;
    else runs.push(offset, 1);
  }
  return runs;
}

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant("open"), gap: fc.nat(3) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant("close"), gap: fc.nat(1000) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("advance"), gap: fc.nat(5) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("replace"), gap: fc.nat(1000) }),
  },
);

test("whatever is opened and closed in whatever order, base, next and runs are those of the open set", () => {
  fc.assert(
    fc.property(
      fc.nat(1000),
      fc.array(step, { maxLength: 300 }),
      (start, steps) => {
        const tracker = new OffsetTracker(start);
        const open = new Map<number, OpenOffset>();
        let next = start;

        for (const { kind, gap } of steps) {
          const chosen = [...open.values()][gap % Math.max(1, open.size)];
          if (kind === "open") {
            const entry = new OpenOffset(next + gap);
            tracker.open(entry);
            open.set(entry.offset, entry);
            next = entry.offset + 1;
          } else if (kind === "advance") {
            next += gap;
            tracker.advance(next);
          } else if (chosen !== undefined && kind === "close") {
            expect(tracker.close(chosen)).toBe(true);
            expect(tracker.close(chosen)).toBe(false);
            open.delete(chosen.offset);
          } else if (chosen !== undefined) {
            const entry = new OpenOffset(chosen.offset);
            tracker.replace(chosen, entry);
            open.set(entry.offset, entry);
          }

          const runs = modelRuns(new Set(open.keys()));
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

test("advancing never goes back", () => {
  const tracker = new OffsetTracker(10);

  tracker.advance(5);

  expect(tracker.next).toBe(10);
});

test("an offset that was passed cannot be opened", () => {
  const tracker = new OffsetTracker(10);

  expect(() => tracker.open(new OpenOffset(9))).toThrow(RangeError);
});
