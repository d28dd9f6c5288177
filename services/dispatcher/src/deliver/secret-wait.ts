/** How long a delivery that cannot be signed waits before the next try to sign it. */
import { lastStartAt, type Delivery, type EpochMs } from "@postrider/core";
import type { Target } from "./admit.ts";

/** A key ring is repaired by hand or by a rollout, which takes minutes: a shorter wait is of no use. */
const SHORTEST_MS = 60_000;
const LONGEST_MS = 3_600_000;
/** The wait is this part of the delivery's age, so that a backlog that has waited for days is not sent through the tiers every minute. */
const PART_OF_AGE = 1 / 8;
/**
 * The last try to sign is this long before the delivery expires, in ms. If that fails too, the delivery is given up as
 * `expired`, with the signing problem in its detail (deliver.stage.ts, `#unsigned`). After the expiry admit.ts would give it up
 * before anybody tried to sign, and the detail could not name the problem.
 */
const LAST_LOOK_MS = 2_000;

/**
 * The end of the wait; `null` if the delivery must be given up now. Unlike most deferrals this wait counts as age: only a
 * change of keys or secrets can end the fault, so without the age limit the delivery could wait for ever.
 */
export function secretWaitEndsAt(
  delivery: Delivery,
  target: Target,
  now: EpochMs,
): EpochMs | null {
  const bornAt = Math.max(delivery.receivedAt, delivery.notBefore ?? 0);
  const partMs = (now - bornAt) * PART_OF_AGE;
  const waitMs = Math.min(Math.max(partMs, SHORTEST_MS), LONGEST_MS);
  const lastLookAt =
    lastStartAt(delivery, target.policy.maxAgeMs) - LAST_LOOK_MS;
  const until = Math.min(now + waitMs, lastLookAt);
  return until > now ? until : null;
}
