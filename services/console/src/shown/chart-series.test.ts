import { expect, test } from "@jest/globals";
import type { Series } from "../api/answers-series.ts";
import {
  attemptLines,
  durationLines,
  successOf,
  sumsBy,
} from "./chart-series.ts";

const point = (at: string, attempts: number, delivered: number) => ({
  at,
  attempts,
  delivered,
  successShare: delivered / attempts,
  p50Ms: 5,
  p95Ms: 50,
  p99Ms: 90,
});
/** Three minutes, in the middle one of which nothing was tried. */
const series: Series = {
  since: "2026-11-30T10:00:20.000Z",
  until: "2026-11-30T10:02:20.000Z",
  stepMs: 60_000,
  groups: [
    {
      key: null,
      attempts: 7,
      delivered: 5,
      points: [
        point("2026-11-30T10:00:00.000Z", 3, 1),
        point("2026-11-30T10:02:00.000Z", 4, 4),
      ],
    },
  ],
};
const valuesOf = (lines: ReturnType<typeof attemptLines>) =>
  Object.fromEntries(
    lines.map(({ name, points }) => [name, points.map(({ value }) => value)]),
  );

test("a step without attempts has none of them, and no duration", () => {
  expect(valuesOf(attemptLines(series))).toEqual({
    Delivered: [1, 0, 4],
    Failed: [2, 0, 0],
  });
  expect(valuesOf(durationLines(series))).toEqual({
    p50: [5, null, 5],
    p95: [50, null, 50],
    p99: [90, null, 90],
  });
});

test("without any attempt there is nothing to draw", () => {
  const none = { ...series, groups: [] };

  expect(valuesOf(attemptLines(none))).toEqual({ Delivered: [], Failed: [] });
  expect(successOf(none)).toBe(null);
});

test.each([
  [7, 5, 71.42],
  [100_000, 99_999, 99.99],
  [3, 3, 100],
])("of %d attempts %d that succeeded are %d %%", (attempts, delivered, pct) => {
  const groups = [{ key: null, attempts, delivered, points: [] }];

  expect(successOf({ ...series, groups })).toEqual({ attempts, pct });
});

test("rows are added up by one of their columns", () => {
  const answer = {
    columns: ["reason", "tier", "waiting"].map((name) => ({ name, type: "" })),
    rows: [
      ["retry", "1s", 2],
      ["queued", "", 4],
      ["retry", "1m", 3],
    ],
  };

  expect(sumsBy(answer, { by: "reason", of: "waiting" })).toEqual([
    ["retry", 5],
    ["queued", 4],
  ]);
});
