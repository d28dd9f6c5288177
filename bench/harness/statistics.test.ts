import { expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  compare,
  median,
  percentile,
  rounded,
  withoutFirst,
} from "./statistics.ts";

test.each([
  [[7], 7],
  [[3, 1, 2], 2],
  [[4, 1, 3, 2], 2.5],
  [[10, 9, 100], 10],
])("the median of %j is %d", (values, expected) => {
  expect(median(values)).toBe(expected);
});

test.each([
  [50, 5],
  [90, 9],
  [99, 10],
  [100, 10],
  [1, 1],
])("percentile %d of 1 to 10 is %d", (percent, expected) => {
  expect(percentile([10, 9, 8, 7, 6, 5, 4, 3, 2, 1], percent)).toBe(expected);
});

test("a percentile is one of the values, and at least its share of them does not exceed it", () => {
  const values = fc.array(fc.integer(), { minLength: 1 });
  fc.assert(
    fc.property(values, fc.integer({ min: 1, max: 100 }), (all, percent) => {
      const found = percentile(all, percent);
      const within = all.filter((value) => value <= found).length;
      expect(all).toContain(found);
      expect(within / all.length).toBeGreaterThanOrEqual(percent / 100 - 1e-9);
    }),
  );
});

test("the first pair does not count", () => {
  const pairs = [
    { baseline: 1, subject: 100 },
    { baseline: 10, subject: 5 },
    { baseline: 10, subject: 6 },
    { baseline: 10, subject: 9 },
  ];

  expect(compare(pairs)).toEqual({ ratio: 0.6, spread: [0.5, 0.9], pairs: 3 });
});

test("ratios are taken within pairs, so that a drift of both sides does not show", () => {
  const pairs = [1, 1, 2, 0.5].map((speed) => ({
    baseline: 100 * speed,
    subject: 50 * speed,
  }));

  expect(compare(pairs)).toEqual({ ratio: 0.5, spread: [0.5, 0.5], pairs: 3 });
});

test("no values, or the first pair alone, give no result", () => {
  expect(() => median([])).toThrow(RangeError);
  expect(() => percentile([], 50)).toThrow(RangeError);
  expect(() => withoutFirst([1])).toThrow(RangeError);
});

test("a figure is shown with four digits", () => {
  expect([0.123456, 52_345.6, 19].map(rounded)).toEqual([0.1235, 52_350, 19]);
});
