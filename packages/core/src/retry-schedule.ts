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

/** The longest schedule of an inline destination: doubling from one second to five minutes, then five minutes. */
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

/** The schedule of an inline destination that may be attempted `maxAttempts` times. */
export function inlineSchedule(maxAttempts: number): RetrySchedule {
  return INLINE_SCHEDULE.slice(0, Math.max(0, maxAttempts - 1));
}

/** The schedule of a registered endpoint: its own `retryDelaysMs`, or else `REGISTERED_SCHEDULE`. */
export function scheduleOf(endpoint: {
  readonly retryDelaysMs: null | readonly number[];
}): RetrySchedule {
  return endpoint.retryDelaysMs ?? REGISTERED_SCHEDULE;
}

/** How many attempts a schedule allows, the first included. */
export function maxAttempts(schedule: RetrySchedule): number {
  return schedule.length + 1;
}
