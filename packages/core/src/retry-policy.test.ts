import { expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  attemptsOf,
  INLINE_SCHEDULE,
  REGISTERED_SCHEDULE,
  RETRY_LIMITS,
  RETRY_PRESETS,
  retryPolicyOf,
  retryPreset,
  type RetrySettings,
} from "./index.ts";

const HOUR = 3_600_000;

const policyOf = (
  settings: Partial<RetrySettings> = {},
  builtIn = REGISTERED_SCHEDULE,
) =>
  retryPolicyOf(
    {
      retryDelaysMs: null,
      maxAttempts: null,
      maxAgeMs: null,
      notRetryableStatuses: [],
      ...settings,
    },
    builtIn,
  );

test("without settings the built-in schedule holds", () => {
  expect(policyOf().schedule).toBe(REGISTERED_SCHEDULE);
});

test.each([
  // waits, attempts asked for, the waits between them
  [[1, 5, 60], null, [1, 5, 60]],
  [[1, 5, 60], 4, [1, 5, 60]],
  [[1, 5, 60], 2, [1]], // cut
  [[1, 5, 60], 1, []], // no retry
  [[1, 5, 60], 6, [1, 5, 60, 60, 60]], // goes on with the last wait
  [[], 3, []],
] as const)(
  "waits %j with %j attempts are waits of %j",
  (retryDelaysMs, maxAttempts, schedule) => {
    expect(policyOf({ retryDelaysMs, maxAttempts }).schedule).toEqual(schedule);
  },
);

test("maxAttempts also cuts the built-in schedules, and goes on with their last wait", () => {
  const cut = policyOf({ maxAttempts: 5 }, INLINE_SCHEDULE);
  const longer = policyOf({ maxAttempts: 22 });

  expect(cut.schedule).toEqual([1_000, 2_000, 4_000, 8_000]);
  expect(longer.schedule.slice(-3)).toEqual(Array(3).fill(12 * HOUR));
});

test("maxAttempts is the number of attempts, whatever the waits are", () => {
  const delays = fc.array(fc.integer({ min: 1 }), { minLength: 1 });
  const { min, max } = RETRY_LIMITS.attempts;

  fc.assert(
    fc.property(delays, fc.integer({ min, max }), (retryDelaysMs, attempts) => {
      const { schedule } = policyOf({ retryDelaysMs, maxAttempts: attempts });

      expect(attemptsOf(schedule)).toBe(attempts);
    }),
  );
});

test("a record with billions of attempts makes no schedule of billions of waits", () => {
  expect(policyOf({ maxAttempts: 2 ** 31 - 1 }).schedule).toHaveLength(99);
});

test("by default a schedule longer than 72 h, with full jitter, may run to its end", () => {
  const tenDays = Array<number>(10).fill(24 * HOUR);

  expect(policyOf({ retryDelaysMs: [1_000] }).maxAgeMs).toBe(72 * HOUR);
  expect(policyOf().maxAgeMs).toBeGreaterThan(76 * HOUR);
  expect(policyOf({ retryDelaysMs: tenDays }).maxAgeMs).toBe(288 * HOUR);
  expect(policyOf({ maxAttempts: 5 }).maxAgeMs).toBe(72 * HOUR);
});

test("a maximum age that is set holds, also where the schedule is longer", () => {
  expect(policyOf({ maxAgeMs: HOUR }).maxAgeMs).toBe(HOUR);
  expect(policyOf({ maxAgeMs: 200 * HOUR }).maxAgeMs).toBe(200 * HOUR);
});

test("the preset standard-webhooks is ten attempts, the last after 75 h 35 min 5 s", () => {
  const waits = retryPreset("standard-webhooks") ?? [];

  expect(attemptsOf(waits)).toBe(10);
  expect(waits.map((wait) => wait / 1_000)).toEqual([
    5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400,
  ]);
  expect(retryPreset("toString")).toBeUndefined();
});

test("every preset is a list that an endpoint may give itself", () => {
  const { delays, delayMs } = RETRY_LIMITS;

  for (const waits of Object.values(RETRY_PRESETS)) {
    expect(waits.length).toBeLessThanOrEqual(delays.max);
    for (const wait of waits) {
      expect(wait).toBeGreaterThanOrEqual(delayMs.min);
      expect(wait).toBeLessThanOrEqual(delayMs.max);
    }
  }
});
