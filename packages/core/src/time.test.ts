import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { formatTime, LATEST_TIME, parseTime } from "./index.ts";

test.each([
  ["1970-01-01T00:00:00Z", 0],
  ["2026-11-23T10:20:30Z", Date.UTC(2026, 10, 23, 10, 20, 30)],
  ["2026-11-23t10:20:30.5z", Date.UTC(2026, 10, 23, 10, 20, 30, 500)],
  ["2026-11-23 10:20:30.123456789Z", Date.UTC(2026, 10, 23, 10, 20, 30, 123)],
  ["2026-11-23T10:20:30+02:00", Date.UTC(2026, 10, 23, 8, 20, 30)],
  ["2026-11-23T10:20:30-09:30", Date.UTC(2026, 10, 23, 19, 50, 30)],
  ["2016-12-31T23:59:60Z", Date.UTC(2017, 0, 1)],
  ["2024-02-29T00:00:00Z", Date.UTC(2024, 1, 29)],
  [1_700_000_000_000, 1_700_000_000_000],
  [0, 0],
  [LATEST_TIME, LATEST_TIME],
])("%j is a time", (value, expected) => {
  expect(parseTime(value)).toBe(expected);
});

test.each([
  "2026-11-23",
  "2026-11-23T10:20:30",
  "2026-13-01T00:00:00Z",
  "2023-02-29T00:00:00Z",
  "2026-11-23T24:00:00Z",
  "2026-11-23T10:60:00Z",
  "2026-11-23T10:20:30+2:00",
  "1969-12-31T23:59:59Z",
  "2200-01-01T00:00:00Z",
  "1700000000000",
  "",
  1.5,
  -1,
  NaN,
  Infinity,
  LATEST_TIME + 1,
  true,
  {},
  [0],
])("%j is no time", (value) => {
  expect(parseTime(value)).toBeUndefined();
});

test("every time survives being written and read again", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: LATEST_TIME }), (at) => {
      expect(parseTime(formatTime(at))).toBe(at);
    }),
  );
});
