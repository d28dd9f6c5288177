import { expect, test } from "@jest/globals";
import { localTime, relativeTime, utcTime } from "./shown-time.ts";

const NOW = Date.UTC(2026, 10, 30, 5, 4, 52, 123);

test.each([
  [-1_999, "now"],
  [1_000, "now"],
  [-5_400, "5 s ago"],
  [5_400, "in 5 s"],
  [-7_500_000, "2 h 5 min ago"],
])("%d ms from now is %s", (away, shown) => {
  expect(relativeTime(NOW + away, NOW)).toBe(shown);
});

test("an exact time is in UTC", () => {
  expect(utcTime(NOW)).toBe("2026-11-30 05:04:52.123 UTC");
});

test("a local time and its offset are the same moment", () => {
  const [, date, time, sign, hours, minutes] =
    /^(\S+) (\S+) ([+−])(\d\d):(\d\d)$/.exec(localTime(NOW)) ?? [];

  const offset =
    (sign === "+" ? 1 : -1) * (Number(hours) * 60 + Number(minutes));
  expect(Date.parse(`${date}T${time}Z`) - offset * 60_000).toBe(NOW);
});
