import { expect, test } from "@jest/globals";
import { linePath, lonePoints, pointsAt, timesOf } from "./chart-lines.ts";

const axes = {
  along: { from: 0, to: 4, ticks: [] },
  up: { from: 0, to: 10, ticks: [] },
};
const points = (...values: readonly (number | null)[]) =>
  values.map((value, at) => ({ at, value }));

test.each([
  ["a line", points(0, 10, 5), "M0 1000h0L250 0L500 500"],
  ["a gap", points(0, 10, null, 5, 5), "M0 1000h0L250 0M750 500h0L1000 500"],
  ["a point alone", points(null, 10, null), "M250 0h0"],
  ["nothing", points(null, null), ""],
])("%s is drawn", (_, given, path) => {
  expect(linePath(given, axes)).toBe(path);
});

test("a point that no line leads to is alone", () => {
  const alone = lonePoints(points(1, null, 2, 3, null, 4));

  expect(alone.map(({ value }) => value)).toEqual([
    1,
    null,
    null,
    null,
    null,
    4,
  ]);
});

test("where one series has a time that another one lacks, there is a gap", () => {
  const one = { name: "one", points: [{ at: 3, value: 1 }] };
  const other = { name: "other", points: points(7, 8) };

  const times = timesOf([one, other]);

  expect(times).toEqual([0, 1, 3]);
  expect(pointsAt(other, times).map(({ value }) => value)).toEqual([
    7,
    8,
    null,
  ]);
});
