import type { Sha256 } from "./ids.ts";
import type { RetrySchedule } from "./retry-schedule.ts";
import { MAX_RETRY_AFTER_MS } from "./retry-after.ts";

/** The most that jitter adds to a wait, as a part of it. */
export const JITTER = 0.2;

export interface FailedAttempt {
  /** 1-based. */
  readonly attemptNumber: number;
  /** From `jitterOf`: at least 0, below 1. */
  readonly random01: number;
  /** What the receiver asked for; it lengthens the wait and never shortens it. */
  readonly retryAfterMs?: number | undefined;
  readonly schedule: RetrySchedule;
}

/** How long to wait after a failed attempt, in whole ms, jitter included; `undefined` once the attempts are used up. */
export function retryWaitMs(failed: FailedAttempt): number | undefined {
  const delayMs = failed.schedule[failed.attemptNumber - 1];
  if (delayMs === undefined) return undefined;
  const jitteredMs = Math.ceil(delayMs * (1 + JITTER * failed.random01));
  const askedMs = Math.min(failed.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS);
  return Math.max(jitteredMs, askedMs);
}

/** A draw in [0, 1) that belongs to the delivery and its step, so that a repeated record waits as long as its twin. */
export function jitterOf(
  sha256: Sha256,
  deliveryId: string,
  step: number,
): number {
  const hash = sha256(`jitter\n${deliveryId}\n${step}`);
  let draw = 0;
  for (const byte of hash.subarray(0, 6)) draw = draw * 256 + byte;
  return draw / 2 ** 48;
}
