import { expect, test } from "@jest/globals";
import { placeOn, shownAmount, timeAxis, valueAxis } from "./chart-scale.ts";

const labelsOf = ({
  ticks,
}: {
  readonly ticks: readonly { readonly label: string }[];
}): readonly string[] => ticks.map(({ label }) => label);

test.each<[readonly number[], string, readonly string[]]>([
  [[3, 10], "attempts", ["0", "5", "10"]],
  [[0, 2], "attempts", ["0", "1", "2"]],
  [[], "attempts", ["0", "1"]],
  [[4_800], "attempts", ["0", "2K", "4K", "6K"]],
  [[-3, 5], "", ["-4", "-2", "0", "2", "4", "6"]],
  [[0.25], "", ["0", "0.1", "0.2", "0.3"]],
  [[99.2], "%", ["0 %", "25 %", "50 %", "75 %", "100 %"]],
  [[4, 170], "ms", ["0 ms", "50 ms", "100 ms", "150 ms", "200 ms"]],
  [[290_000], "ms", ["0 ms", "2 min", "4 min", "6 min"]],
])("the amounts %j in %j have the labels %j", (values, unit, labels) => {
  expect(labelsOf(valueAxis(values, unit))).toEqual(labels);
});

const NOON = Date.parse("2026-11-29T12:00:00Z");
const MINUTE = 60_000;

test.each<[string, number, number, readonly string[]]>([
  [
    "half a minute",
    NOON,
    NOON + 30_000,
    ["12:00:00", "12:00:10", "12:00:20", "12:00:30"],
  ],
  ["15 minutes", NOON + 7_000, NOON + 15 * MINUTE, ["12:05", "12:10", "12:15"]],
  [
    "24 hours",
    NOON,
    NOON + 1_440 * MINUTE,
    ["12:00", "18:00", "30 Nov", "06:00", "12:00"],
  ],
  ["7 days", NOON, NOON + 7 * 1_440 * MINUTE, ["1 Dec", "3 Dec", "5 Dec"]],
])("%s have labels at round times", (_, from, to, labels) => {
  expect(labelsOf(timeAxis(from, to))).toEqual(labels);
});

test("by the local clock each label is at a whole step of it, too", () => {
  const { ticks } = timeAxis(NOON, NOON + 7 * 1_440 * MINUTE, "local");

  expect(ticks.length).toBeGreaterThan(1);
  expect(ticks.map(({ label }) => label)).toEqual(
    ticks.map(({ value }) =>
      new Date(value).toLocaleDateString("en-GB", {
        day: "numeric",
        month: "short",
      }),
    ),
  );
  expect(ticks.map(({ value }) => new Date(value).getHours())).toEqual(
    ticks.map(() => 0),
  );
});

test("an axis of one moment has it in the middle", () => {
  expect(placeOn(timeAxis(NOON, NOON), NOON)).toBe(0.5);
});

test.each<[number | null, string, string]>([
  [1_204, "attempts", "1,204 attempts"],
  [99.25, "%", "99.25 %"],
  [3_400, "ms", "3.4 s"],
  [7, "", "7"],
  [null, "ms", "–"],
])("%j in %j is shown as %j", (value, unit, shown) => {
  expect(shownAmount(value, unit)).toBe(shown);
});
