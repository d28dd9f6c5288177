import type { RetrySchedule } from "./retry-schedule.ts";
import { JITTER } from "./retry-wait.ts";

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const DAY = 24 * HOUR;

/** What an endpoint, or an event for its inline destination, says about retries. */
export interface RetrySettings {
  /** The waits, in ms, before jitter; `null`: the built-in ones. */
  readonly retryDelaysMs: readonly number[] | null;
  /** Attempts in all, the first included; `null`: one more than there are waits. */
  readonly maxAttempts: number | null;
  /** `null`: 72 h, or the whole schedule with full jitter where that is longer. */
  readonly maxAgeMs: number | null;
  readonly notRetryableStatuses: readonly number[];
}

/** The ranges of an endpoint's retry settings, both ends included. */
export const RETRY_LIMITS = {
  delays: { min: 1, max: 50 },
  delayMs: { min: SECOND, max: DAY },
  attempts: { min: 1, max: 100 },
  ageMs: { min: SECOND, max: 30 * DAY },
  statuses: { min: 0, max: 50 },
  status: { min: 300, max: 599 },
} as const;

/** The settings, made whole: what decides after each attempt. */
export interface RetryPolicy {
  readonly schedule: RetrySchedule;
  /** How old a delivery may be when an attempt starts. */
  readonly maxAgeMs: number;
  /** Statuses that end a delivery at once. */
  readonly notRetryableStatuses: readonly number[];
}

/** The policy of an endpoint. `builtIn` is the schedule where it gives no waits of its own. */
export function retryPolicyOf(
  settings: RetrySettings,
  builtIn: RetrySchedule,
): RetryPolicy {
  const delays = settings.retryDelaysMs ?? builtIn;
  const schedule = withAttempts(delays, settings.maxAttempts);
  return {
    schedule,
    maxAgeMs: settings.maxAgeMs ?? defaultMaxAgeMs(schedule),
    notRetryableStatuses: settings.notRetryableStatuses,
  };
}

/**
 * The schedule for this number of attempts: cut where it has waits for more, and going on with its last wait where it has
 * waits for fewer. So `maxAttempts` is always the number of attempts, and the waits are only how far they are apart.
 */
export function withAttempts(
  schedule: RetrySchedule,
  maxAttempts: number | null,
): RetrySchedule {
  if (maxAttempts === null) return schedule;
  const attempts = Math.min(maxAttempts, RETRY_LIMITS.attempts.max);
  const waits = Math.max(0, attempts - 1);
  const last = schedule.at(-1);
  if (waits <= schedule.length || last === undefined)
    return schedule.slice(0, waits);
  const further = Array<number>(waits - schedule.length).fill(last);
  return [...schedule, ...further];
}

/** The usual limit of a delivery's age: 72 h. */
const USUAL_MAX_AGE_MS = 72 * HOUR;

/** The maximum age of a delivery where none is set, in ms: 72 h, or all waits of its schedule with full jitter if that is longer. */
export function defaultMaxAgeMs(schedule: RetrySchedule): number {
  const whole = schedule.reduce((sum, wait) => sum + wait, 0);
  return Math.max(USUAL_MAX_AGE_MS, Math.ceil(whole * (1 + JITTER)));
}
