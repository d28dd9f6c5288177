import type { Delivery } from "./records.ts";

/** The fields of a delivery that was not tried yet: where its retry schedule begins. */
export const UNTRIED = {
  attemptNumber: 1,
  step: 0,
  nextAttemptAt: null,
  slotAt: null,
  deferralReason: null,
  deferredMs: 0,
  endpointUnknownSince: null,
  lastAttempt: null,
} as const satisfies Partial<Delivery>;
