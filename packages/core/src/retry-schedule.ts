/**
 * The wait, in ms, after each failed attempt, before jitter: the n-th entry follows the n-th attempt. So there is one
 * attempt more than there are waits. An endpoint's own `retryDelaysMs` has the same form.
 */
export type RetrySchedule = readonly number[];

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/**
 * A registered endpoint's schedule: 20 attempts, about 2½ days.
 *
 *     after attempt   1   2   3   4    5    6    7     8     9    10   11  12  13  14  15  16 … 19
 *     wait           1s  2s  4s  8s  16s  32s  64s  128s  256s  300s  15m  1h  2h  4h  8h     12h
 *     since first    1s  3s  7s 15s  31s  63s   2m    4m    9m   14m  29m  1h  3h  7h 15h  28h … 64h
 */
export const REGISTERED_SCHEDULE: RetrySchedule = [
  ...[1, 2, 4, 8, 16, 32, 64, 128, 256, 300].map((wait) => wait * SECOND),
  15 * MINUTE,
  ...[1, 2, 4, 8, 12, 12, 12, 12].map((wait) => wait * HOUR),
];

/** The most attempts an inline destination may ask for. */
export const MAX_INLINE_ATTEMPTS = 20;

/** The waits of an inline destination that gives none of its own: doubling from one second to five minutes, then five minutes. */
export const INLINE_SCHEDULE: RetrySchedule = Array.from(
  { length: MAX_INLINE_ATTEMPTS - 1 },
  (_, step) => Math.min(SECOND * 2 ** step, 300 * SECOND),
);

/** The sample schedule of the Standard Webhooks specification. */
export const STANDARD_WEBHOOKS_SCHEDULE: RetrySchedule = [
  5 * SECOND,
  5 * MINUTE,
  30 * MINUTE,
  ...[2, 5, 10, 14, 20, 24].map((wait) => wait * HOUR),
];

/** Schedules that may be given by name in place of a list of waits. */
export const RETRY_PRESETS = {
  "standard-webhooks": STANDARD_WEBHOOKS_SCHEDULE,
} as const;

/** The waits that a name stands for; `undefined` if it is no preset. */
export function retryPreset(name: string): RetrySchedule | undefined {
  return Object.entries(RETRY_PRESETS).find(([each]) => each === name)?.[1];
}

/** How many attempts a schedule allows, the first included. */
export function attemptsOf(schedule: RetrySchedule): number {
  return schedule.length + 1;
}
