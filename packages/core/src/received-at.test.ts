import { expect, test } from "@jest/globals";
import { receivedAtOf } from "./received-at.ts";

const NOW = Date.UTC(2026, 0, 10, 15, 30);

test.each([
  ["a moment ago", NOW - 5, NOW - 5],
  ["yesterday", Date.UTC(2026, 0, 9, 0, 0, 1), Date.UTC(2026, 0, 9, 0, 0, 1)],
  [
    "the day before yesterday",
    Date.UTC(2026, 0, 8, 23, 59),
    Date.UTC(2026, 0, 9),
  ],
  ["years ago", 0, Date.UTC(2026, 0, 9)],
  ["a skewed clock ahead of ours", NOW + 60_000, NOW + 60_000],
  ["an hour ahead", NOW + 3_600_000, Date.UTC(2026, 0, 10, 15)],
  ["the year 2099", Date.UTC(2099, 0, 1), Date.UTC(2026, 0, 10, 15)],
  ["no time at all", -1, Date.UTC(2026, 0, 9)],
  ["the end of time", Number.MAX_SAFE_INTEGER, Date.UTC(2026, 0, 10, 15)],
])("a record of %s", (_, timestamp, expected) => {
  expect(receivedAtOf(timestamp, NOW)).toBe(expected);
});
