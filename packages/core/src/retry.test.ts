import { createHash } from "node:crypto";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  attemptsOf,
  INLINE_SCHEDULE,
  jitterOf,
  parseRetryAfter,
  REGISTERED_SCHEDULE,
  retryWaitMs,
} from "./index.ts";

const sha256 = (text: string) => createHash("sha256").update(text).digest();
const HOUR = 3_600_000;

test("a registered endpoint gets 20 attempts over about two and a half days", () => {
  const wholeMs = REGISTERED_SCHEDULE.reduce((sum, wait) => sum + wait, 0);

  expect(attemptsOf(REGISTERED_SCHEDULE)).toBe(20);
  expect(wholeMs / HOUR).toBeCloseTo(63.5, 0);
  expect(REGISTERED_SCHEDULE.map((wait) => wait / 1000)).toEqual([
    1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 900, 3600, 7200, 14400, 28800, 43200,
    43200, 43200, 43200,
  ]);
});

test("an inline destination waits twice as long each time, up to five minutes", () => {
  expect(INLINE_SCHEDULE.slice(0, 4)).toEqual([1_000, 2_000, 4_000, 8_000]);
  expect(attemptsOf(INLINE_SCHEDULE)).toBe(20);
  expect(INLINE_SCHEDULE.at(-1)).toBe(300_000);
});

const schedule = [1_000, 2_000];
test.each([
  [1, 0, undefined, 1_000],
  [1, 0.5, undefined, 1_100],
  [2, 0.999999, undefined, 2_400],
  [1, 0, 500, 1_000], // Retry-After never shortens
  [1, 0, 7_000, 7_000],
  [1, 0, 1_000 * HOUR, 24 * HOUR],
  [3, 0, undefined, undefined], // used up
  [3, 0, 7_000, undefined],
])(
  "after attempt %d, jitter %d and Retry-After %d the wait is %d ms",
  (attemptNumber, random01, retryAfterMs, waitMs) => {
    expect(
      retryWaitMs({ attemptNumber, random01, retryAfterMs, schedule }),
    ).toBe(waitMs);
  },
);

test("jitter lies in [0, 1), is spread, and is the same for the same delivery and step", () => {
  const draws = Array.from({ length: 1_000 }, (_, step) =>
    jitterOf(sha256, "dlv_1", step),
  );

  expect(jitterOf(sha256, "dlv_1", 7)).toBe(draws[7]);
  expect(Math.min(...draws)).toBeGreaterThanOrEqual(0);
  expect(Math.max(...draws)).toBeLessThan(1);
  expect(draws.reduce((sum, draw) => sum + draw, 0) / 1_000).toBeCloseTo(
    0.5,
    1,
  );
});

const now = Date.UTC(2026, 10, 23, 12, 0, 0);
test.each([
  ["5", 5_000],
  [" 5 ", 5_000],
  ["315360000", 24 * HOUR], // ten years
  ["9".repeat(400), 24 * HOUR],
  ["Mon, 23 Nov 2026 12:00:30 GMT", 30_000],
  ["Monday, 23-Nov-26 12:00:30 GMT", 30_000],
  ["Mon Nov 23 12:00:30 2026", 30_000],
  ["Mon, 23 Nov 2036 12:00:30 GMT", 24 * HOUR],
  ["Mon, 23 Nov 2026 11:59:30 GMT", undefined], // past
  ["0", undefined],
  ["-5", undefined],
  ["5.5", undefined],
  ["soon", undefined],
  ["", undefined],
  [undefined, undefined],
  ["2026-11-23T12:00:30Z", undefined],
  ["Mon, 99 Nov 2026 12:00:30 GMT", undefined],
])("Retry-After: %s", (header, waitMs) => {
  expect(parseRetryAfter(header, now)).toBe(waitMs);
});

test("no Retry-After header gives a wait below zero or above a day", () => {
  fc.assert(
    fc.property(fc.string(), fc.integer(), (header, at) => {
      const waitMs = parseRetryAfter(header, at) ?? 1;

      expect(waitMs > 0 && waitMs <= 24 * HOUR).toBe(true);
    }),
  );
});
