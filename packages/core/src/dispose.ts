import { isGone } from "./classify-status.ts";
import type { Delivery } from "./records.ts";
import type { RetryPolicy } from "./retry-policy.ts";
import { retryWaitMs } from "./retry-wait.ts";
import { planWait, type Tier } from "./tiers.ts";
import type { EpochMs } from "./time.ts";
import type { DeadLetterReason, Outcome, Status } from "./vocabulary.ts";

/** What follows an attempt. */
export type Disposition =
  | { readonly kind: "done" }
  | {
      readonly kind: "retry";
      /** The end of the whole wait. */
      readonly nextAttemptAt: EpochMs;
      /** The first tier; `null` if the wait is zero: the delivery goes straight back to `deliveries`. */
      readonly tier: Tier | null;
    }
  | { readonly kind: "dead_letter"; readonly reason: DeadLetterReason };

/** The parts of a delivery that decide about its retries. */
export type DeliveryTimes = Pick<
  Delivery,
  "attemptNumber" | "receivedAt" | "notBefore" | "expiresAt" | "deferredMs"
>;

export interface AttemptResult {
  readonly delivery: DeliveryTimes;
  readonly outcome: Outcome;
  /** `null` if no status was received. */
  readonly statusCode: number | null;
  /** From `parseRetryAfter`. */
  readonly retryAfterMs?: number | undefined;
  readonly policy: RetryPolicy;
  readonly tiers: readonly Tier[];
  /** When the outcome of the attempt was known. */
  readonly now: EpochMs;
  /** From `jitterOf(deliveryId, step)`. */
  readonly random01: number;
}

/**
 * What follows an attempt. A 2xx is done. A blocked address and a 410 become a dead letter at once. Everything else is
 * retried until the attempts are used up (`exhausted`) or the delivery is too old (`expired`). A status that the endpoint
 * lists as not retryable is `exhausted` at once.
 */
export function dispose(result: AttemptResult): Disposition {
  const { delivery, outcome, policy, now } = result;
  if (outcome === "delivered") return { kind: "done" };
  if (outcome === "blocked") return deadLetter("blocked");
  if (isGone(result.statusCode)) return deadLetter("gone");
  if (
    result.statusCode !== null &&
    policy.notRetryableStatuses.includes(result.statusCode)
  )
    return deadLetter("exhausted");

  const waitMs = retryWaitMs({
    attemptNumber: delivery.attemptNumber,
    random01: result.random01,
    retryAfterMs: result.retryAfterMs,
    schedule: policy.schedule,
  });
  if (waitMs === undefined) return deadLetter("exhausted");
  const mostMs = lastStartAt(delivery, policy.maxAgeMs) - now;
  const plan = planWait(result.tiers, waitMs, mostMs);
  if (plan.waitMs > mostMs) return deadLetter("expired");
  const nextAttemptAt = now + plan.waitMs;
  return { kind: "retry", nextAttemptAt, tier: plan.tier };
}

/**
 * The last moment at which an attempt may start. A delivery's age counts from `receivedAt` or from `notBefore`, whichever
 * is later; time spent deferred does not count. The publisher's `expiresAt` also ends the delivery, and deferrals do not
 * move it.
 */
export function lastStartAt(
  delivery: DeliveryTimes,
  maxAgeMs: number,
): EpochMs {
  const from = Math.max(delivery.receivedAt, delivery.notBefore ?? 0);
  const byAge = from + delivery.deferredMs + maxAgeMs;
  return Math.min(byAge, delivery.expiresAt ?? Infinity);
}

/** A delivery's status after an attempt. */
export function statusAfter(disposition: Disposition): Status {
  switch (disposition.kind) {
    case "done":
      return "delivered";
    case "retry":
      return "failed";
    case "dead_letter":
      return "expired";
  }
}

/** The status of a delivery that waits without having spent an attempt: deferred, or parked because its endpoint is paused. */
export function statusWaiting(
  delivery: Pick<Delivery, "attemptNumber">,
): Status {
  return delivery.attemptNumber > 1 ? "failed" : "pending";
}

/** The status of a delivery that was given up for `reason`. A parked delivery (its endpoint is paused) keeps its status. */
export function statusGivenUp(
  delivery: Pick<Delivery, "attemptNumber">,
  reason: DeadLetterReason,
): Status {
  return reason === "paused" ? statusWaiting(delivery) : "expired";
}

function deadLetter(reason: DeadLetterReason): Disposition {
  return { kind: "dead_letter", reason };
}
