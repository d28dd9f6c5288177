import { expect, test } from "@jest/globals";
import { before, overviewSearch, RANGES, rangeOf } from "./ranges.ts";

test("what is no range is dropped from the URL, and an hour is shown", () => {
  expect(overviewSearch({ range: "7d", x: "1" })).toEqual({ range: "7d" });
  expect(overviewSearch({ range: "7 d" })).toEqual({});
  expect(rangeOf({}).range).toBe("1h");
});

test("each range is compared with the time before it, but for the longest", () => {
  expect(RANGES.map((range) => before(range)?.since)).toEqual([
    "30m",
    "120m",
    "720m",
    "2880m",
    "20160m",
    undefined,
  ]);
});
