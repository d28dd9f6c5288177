import { expect, test } from "@jest/globals";
import { chartable } from "./result-chart.ts";

const MINUTES = [
  Date.UTC(2026, 10, 30, 5, 0),
  Date.UTC(2026, 10, 30, 5, 1),
] as const;
const [first, second] = MINUTES;

function result(
  types: Readonly<Record<string, string>>,
  ...rows: readonly (readonly unknown[])[]
) {
  return {
    columns: Object.entries(types).map(([name, type]) => ({ name, type })),
    rows: rows.map((row) => row.map((value) => JSON.stringify(value))),
  };
}

test("columns of one unit are lines of one chart, and each can be seen alone", () => {
  const chart = chartable(
    result(
      {
        minute: "DateTime('UTC')",
        attempts: "UInt64",
        failed: "UInt64",
        p50_ms: "Nullable(Float64)",
      },
      ["2026-11-30 05:01:00", 9, 1, null],
      ["2026-11-30 05:00:00", 8, 0, 12.5],
    ),
  )!;

  expect(chart.choices.map(({ name, unit }) => [name, unit])).toEqual([
    ["attempts, failed", ""],
    ["attempts", ""],
    ["failed", ""],
    ["p50_ms", "ms"],
  ]);
  expect(chart.series(chart.choices[0]!)).toEqual([
    {
      name: "attempts",
      points: [
        { at: second, value: 9 },
        { at: first, value: 8 },
      ],
    },
    {
      name: "failed",
      points: [
        { at: second, value: 1 },
        { at: first, value: 0 },
      ],
    },
  ]);
  expect(chart.series(chart.choices[3]!)[0]?.points[0]?.value).toBeNull();
});

test("rows of one time are lines by their names, one number at a time", () => {
  const chart = chartable(
    result(
      {
        at: "DateTime64(3, 'UTC')",
        outcome: "LowCardinality(String)",
        count: "UInt64",
        share_pct: "Float64",
      },
      ["2026-11-30 05:00:00.000", "delivered", 8, 80],
      ["2026-11-30 05:00:00.000", "timeout", 2, 20],
      ["2026-11-30 05:01:00.000", "delivered", 9, 100],
    ),
  )!;

  expect(chart.choices.map(({ name, unit }) => [name, unit])).toEqual([
    ["count", ""],
    ["share_pct", "%"],
  ]);
  expect(chart.series(chart.choices[0]!)).toEqual([
    {
      name: "delivered",
      points: [
        { at: first, value: 8 },
        { at: second, value: 9 },
      ],
    },
    { name: "timeout", points: [{ at: first, value: 2 }] },
  ]);
});

const DAYS = { day: "Date", count: "UInt64" };

test.each([
  ["no time", result({ count: "UInt64" }, [1], [2])],
  ["no number", result({ day: "Date" }, ["2026-11-30"], ["2026-11-29"])],
  ["one time", result(DAYS, ["2026-11-30", 1], ["2026-11-30", 2])],
  [
    "too many rows",
    result(DAYS, ...Array.from({ length: 2_001 }, () => ["2026-11-30", 1])),
  ],
])("with %s there is no chart", (_, given) => {
  expect(chartable(given)).toBeNull();
});
