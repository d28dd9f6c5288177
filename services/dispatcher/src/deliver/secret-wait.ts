/** How long a delivery that cannot be signed waits before it is looked at again. */
import { lastStartAt, type Delivery, type EpochMs } from "@postrider/core";
import type { Target } from "./admit.ts";

/** A key ring is mended by hand, or by a rollout: minutes at first. */
const SHORTEST_MS = 60_000;
const LONGEST_MS = 3_600_000;
/** The wait is this part of the age, so that a backlog that waits for days is not carried round each minute. */
const PART_OF_AGE = 1 / 8;
/** So long before the delivery expires it is looked at for the last time: later than that, nobody could say why it expired. */
const LAST_LOOK_MS = 2_000;

/**
 * The end of the wait; `null` once the delivery is to be given up. Unlike other deferrals this one counts as age: nothing but
 * a change of keys or secrets ends it, and without an end it would go round for ever.
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
    lastStartAt(delivery, target.policy.schedule) - LAST_LOOK_MS;
  const until = Math.min(now + waitMs, lastLookAt);
  return until > now ? until : null;
}
