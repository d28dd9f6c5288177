import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { WarmUpPace } from "./warm-up-pace.ts";

const BUDGET = 8 << 20;

/** How many bytes a warm-up over records of these sizes reads, if it follows each jump, and the records that it ends with and that follow each other. */
function read(sizes: readonly number[], budget = BUDGET) {
  const pace = new WarmUpPace(0, sizes.length);
  let last: number[] = [];
  let bytes = 0;
  for (let at = 0; ;) {
    const target =
      at < sizes.length
        ? pace.noteRemembered(at, sizes[at]!, budget)
        : pace.goesBackTo(budget);
    if (at < sizes.length) {
      bytes += sizes[at]!;
      last.push(at);
    } else if (target === null) return { bytes, last };
    if (target !== null) {
      pace.jumped(target);
      last = [];
    }
    at = target ?? at + 1;
  }
}

const many = (count: number, bytes: number): number[] =>
  Array.from({ length: count }, () => bytes);

test.each([
  ["small and few: all are read", many(1_000, 100), 100_000],
  ["exactly as many as may be", many(8_192, 1_024), BUDGET],
  ["too many", many(400_000, 1_024), BUDGET],
  ["too large", many(1_000, 900_000), BUDGET],
  [
    "large ones behind small ones",
    [...many(100_000, 50), ...many(1_000, 100_000)],
    BUDGET,
  ],
])("%s, and the nearest are", (_name, sizes, expected) => {
  const { bytes, last } = read(sizes);

  expect(bytes).toBeGreaterThanOrEqual(expected * 0.8);
  expect(bytes).toBeLessThanOrEqual(expected * 2);
  expect(last.at(-1)).toBe(sizes.length - 1);
});

test("with a budget of 0 bytes only the first record is read", () => {
  expect(new WarmUpPace(0, 1_000).noteRemembered(0, 10, 0)).toBe(1_000);
});

test.each([
  ["as large as the others", many(30_000, 1_024)],
  ["smaller than those before", [...many(3_000, 20_000), ...many(3_000, 500)]],
  ["few and small, behind large ones", [...many(900, 90_000), ...many(9, 10)]],
])(
  "where the last records are %s, the last bytes of the budget are all remembered, or everything",
  (_name, sizes) => {
    const { last } = read(sizes);

    const remembered = last.reduce((sum, at) => sum + sizes[at]!, 0);
    expect(last.at(-1)).toBe(sizes.length - 1);
    expect(last.length).toBe(sizes.length - last[0]!);
    if (last[0]! > 0) expect(remembered).toBeGreaterThanOrEqual(BUDGET);
  },
);

test("whatever the sizes, the last bytes of the budget are remembered, and no warm-up goes on for ever", () => {
  const sizes = fc.array(
    fc.record({
      count: fc.integer({ min: 1, max: 300 }),
      size: fc.integer({ min: 1, max: 5_000 }),
    }),
    { minLength: 1, maxLength: 10 },
  );
  fc.assert(
    fc.property(sizes, (runs) => {
      const all = runs.flatMap(({ count, size }) => many(count, size));
      const budget = 20_000;

      const { last, bytes } = read(all, budget);

      const remembered = last.reduce((sum, at) => sum + all[at]!, 0);
      expect(remembered >= budget || last[0] === 0).toBe(true);
      expect(last.at(-1)).toBe(all.length - 1);
      expect(bytes).toBeLessThan(40 * budget);
    }),
  );
});

test("going back to large records far behind reads some budgets, and not all of them", () => {
  const { bytes, last } = read([...many(5_000, 1 << 20), ...many(5_000, 100)]);

  expect(last.length).toBeGreaterThanOrEqual(5_000 + 8);
  expect(bytes).toBeLessThan(30 * BUDGET);
});

test("a budget that grows while reading goes back ends the warm-up, too", () => {
  const sizes = [...many(900, 9_000), ...many(900, 10)];
  const pace = new WarmUpPace(0, sizes.length);
  let budget = 100_000;

  let readings = 0;
  for (let at = 0; readings < 100;) {
    const isRecord = at < sizes.length;
    const target = isRecord
      ? pace.noteRemembered(at, sizes[at]!, budget)
      : pace.goesBackTo(budget);
    if (!isRecord && target === null) break;
    if (target !== null) pace.jumped(target);
    if (!isRecord) [readings, budget] = [readings + 1, budget * 1.5];
    at = target ?? at + 1;
  }

  expect(readings).toBeLessThan(100);
});
