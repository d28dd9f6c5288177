import type { Sha256 } from "./ids.ts";
import type { RetrySchedule } from "./retry-schedule.ts";
import { MAX_RETRY_AFTER_MS } from "./retry-after.ts";

/** Jitter adds at most this part of the wait: 20 %. */
export const JITTER = 0.2;

export interface FailedAttempt {
  /** 1-based. */
  readonly attemptNumber: number;
  /** From `jitterOf`: at least 0, below 1. */
  readonly random01: number;
  /** The wait that the receiver asked for. It can only lengthen the wait, never shorten it. */
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

/** A number in [0, 1), computed from the delivery's id and step. Not random: a record that is processed twice must wait equally long both times. */
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
