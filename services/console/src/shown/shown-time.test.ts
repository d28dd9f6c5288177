import { expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  exactSecond,
  exactTime,
  fieldOfTime,
  localTime,
  relativeTime,
  timeOfField,
  utcTime,
} from "./shown-time.ts";

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

test("the exact time is by the clock that was chosen", () => {
  expect(exactTime(NOW, "utc")).toBe(utcTime(NOW));
  expect(exactTime(NOW, "local")).toBe(localTime(NOW));
});

test.each(["utc", "local"] as const)(
  "a second by the %s clock is the exact time without its milliseconds",
  (zone) => {
    expect(exactSecond(NOW, zone)).toBe(
      exactTime(NOW, zone).replace(/\.\d{3}/, ""),
    );
  },
);

test.each(["utc", "local"] as const)(
  "a time that is typed by the %s clock is the one that the field shows",
  (zone) => {
    const second = fc.integer({ min: 0, max: 4_102_444_799 });
    fc.assert(
      fc.property(second, (seconds) => {
        const text = new Date(seconds * 1_000)
          .toISOString()
          .replace(".000Z", "Z");

        const field = fieldOfTime(text, zone);
        expect(field).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/);
        // By the local clock an hour may be there twice, and then either is right.
        expect(fieldOfTime(timeOfField(field, zone), zone)).toBe(field);
        if (zone === "utc") expect(timeOfField(field, zone)).toBe(text);
      }),
    );
  },
);

test.each(["1h", "now", "", "1790000000000", "2026-99-99"])(
  "%j is no time that a field could show",
  (text) => {
    expect(fieldOfTime(text, "utc")).toBe("");
  },
);

test("a field without seconds is a time, and an empty one is none", () => {
  expect(timeOfField("2026-11-30T05:04", "utc")).toBe("2026-11-30T05:04:00Z");
  expect(timeOfField("", "utc")).toBe("");
});
