import { expect, test } from "@jest/globals";
import { judge, whyNotJudged, type TableFacts } from "./judge-day.ts";
import { refusalOf } from "./refuse-tables.ts";
import { parseDay } from "./roll-up.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const END = Date.parse("2026-11-28T00:00:00Z"); // of the day below
const day = "2026-11-27";

const facts = (fields: Partial<TableFacts> = {}): TableFacts => ({
  table: "attempts",
  goesAt: null,
  unreadTtl: null,
  emptied: [],
  mutation: null,
  ...fields,
});

test.each([
  ["during the day", END - 1, /is not over/],
  ["an hour after its end", END + HOUR_MS, /is not over/],
  ["two hours after its end", END + 2 * HOUR_MS, null],
])("a day is judged only once it is over: %s", (_, now, expected) => {
  const why = whyNotJudged(day, now, [facts()]);

  if (expected === null) expect(why).toBe(null);
  else expect(why).toMatch(expected);
});

test.each([
  ["its rows go in an hour", { goesAt: END + 6 * HOUR_MS }, /drops rows/],
  [
    "its rows are gone",
    { goesAt: END - DAY_MS },
    /drops rows .* 2026-11-27T00:00Z/,
  ],
  ["its rows go in two days", { goesAt: END + 3 * DAY_MS }, null],
  ["its TTL is not known", { unreadTtl: "kept_until" }, /kept_until/],
  ["a column is emptied", { emptied: ["status"] }, /empties its column status/],
  ["a mutation runs", { mutation: "mutation_7.txt" }, /mutation_7/],
] as const)(
  "what of the day is left must be known, of attempts and of the roll-up: %s",
  (_, fields, expected) => {
    const now = END + 5 * HOUR_MS;
    for (const tables of [
      [facts(fields), facts()],
      [facts(), facts(fields)],
    ]) {
      const why = whyNotJudged(day, now, tables);

      if (expected === null) expect(why).toBe(null);
      else expect(why).toMatch(expected);
    }
  },
);

const row = {
  raw: "10",
  counted: "9",
  short_buckets: "2",
  over_buckets: "1",
  short_by: ["2", "0"],
  over_by: ["1", "1"],
};
const columns = ["attempts", "delivered"];

test("a day says by how much its roll-up is short and over", () => {
  expect(judge(row, columns)).toEqual({
    kind: "differs",
    attempts: 10,
    counted: 9,
    short: { buckets: 2, by: { attempts: 2 } },
    over: { buckets: 1, by: { attempts: 1, delivered: 1 } },
  });
});

test("a day whose attempts are all gone is not over", () => {
  expect(judge({ ...row, raw: "0" }, columns)).toMatchObject({
    kind: "notJudged",
    why: expect.stringContaining("no rows of this day"),
  });
});

test("tables with replicas are refused, and a missing one is told", () => {
  const one = { name: "attempts", engine: "ReplacingMergeTree" };
  const replicated = {
    name: "endpoint_hour",
    engine: "ReplicatedAggregatingMergeTree",
  };

  expect(refusalOf("p", ["attempts"], [one])).toBe(null);
  expect(
    refusalOf("p", ["attempts", "endpoint_hour"], [one, replicated])?.message,
  ).toContain("only in tables of one server");
  expect(refusalOf("p", ["attempts", "x"], [one])?.next).toContain("migrate");
});

test.each([
  ["2026-02-28", "2026-02-28"],
  ["2026-02-30", null],
  ["27.11.2026", null],
  ["2026-11-27' OR 1", null],
])("%s is a day or is not", (text, expected) => {
  expect(parseDay(text)).toBe(expected);
});
