import type { DeadLetter, Delivery, EpochMs, Resume } from "@postrider/core";

/**
 * The delivery of a parked dead letter, as a resume sends it again; null if the dead letter is none of the resume's. The step
 * was raised at parking, so deliver drops it if it comes twice. The time in which it was parked counts as deferred: it does not
 * use up the delivery's age. `endpointVersion` makes a dispatcher wait that still sees the endpoint paused.
 */
export function resentDelivery(
  letter: DeadLetter,
  resume: Pick<Resume, "endpointId" | "endpointVersion">,
  now: EpochMs,
): Delivery | null {
  const { delivery } = letter;
  if (
    letter.reason !== "paused" ||
    delivery === null ||
    delivery.endpointId !== resume.endpointId
  )
    return null;
  return {
    ...delivery,
    endpointVersion: Math.max(delivery.endpointVersion, resume.endpointVersion),
    deferredMs: delivery.deferredMs + Math.max(0, now - letter.deadAt),
    nextAttemptAt: null,
    slotAt: null,
    deferralReason: null,
    endpointUnknownSince: null,
  };
}
