import { expect, test } from "@jest/globals";
import { deliveryIdOf, lastStartAt } from "@postrider/core";
import { sha256Text } from "@postrider/runtime";
import { aDelivery, BUILT_AT } from "@postrider/testkit";
import { redrivenDelivery } from "./redriven-delivery.ts";

const DAY_MS = 24 * 3_600_000;
const NOW = BUILT_AT + 20 * DAY_MS;
const OF = {
  trigger: "redrive",
  replayId: "rpl_1",
  endpointVersion: 7,
  now: NOW,
} as const;

test("a redrive is a delivery of its own with a whole schedule before it; the webhook-id and the payload stay", () => {
  const past = aDelivery({
    attemptNumber: 20,
    step: 31,
    trigger: "retry",
    nextAttemptAt: BUILT_AT,
    slotAt: BUILT_AT,
    deferralReason: "breaker_open",
    endpointUnknownSince: BUILT_AT,
    lastAttempt: {
      attemptNumber: 19,
      outcome: "timeout",
      statusCode: null,
      errorCode: null,
      durationMs: 5,
    },
    traceparent: "00-1-2-01",
  });

  const redriven = redrivenDelivery(past, OF);

  expect(redriven).toEqual({
    ...past,
    deliveryId: deliveryIdOf(sha256Text, {
      tenantId: past.tenantId,
      eventId: past.eventId,
      endpointId: past.endpointId,
      replayId: "rpl_1",
    }),
    endpointVersion: 7,
    attemptNumber: 1,
    step: 0,
    trigger: "redrive",
    replayId: "rpl_1",
    nextAttemptAt: null,
    slotAt: null,
    deferralReason: null,
    deferredMs: 20 * DAY_MS,
    endpointUnknownSince: null,
    lastAttempt: null,
  });
});

test("its maximum age begins anew, also after a notBefore; the publisher's expiresAt stays", () => {
  const old = redrivenDelivery(aDelivery(), OF);
  const later = redrivenDelivery(
    aDelivery({ notBefore: BUILT_AT + DAY_MS, deferredMs: 5 }),
    OF,
  );
  const bounded = redrivenDelivery(aDelivery({ expiresAt: NOW + 1 }), OF);

  expect(lastStartAt(old, DAY_MS)).toBe(NOW + DAY_MS);
  expect(lastStartAt(later, DAY_MS)).toBe(NOW + DAY_MS);
  expect(lastStartAt(bounded, DAY_MS)).toBe(NOW + 1);
});

test("made a second time, it has the same id and step; of another replay it is another one", () => {
  const once = redrivenDelivery(aDelivery(), OF);
  const twice = redrivenDelivery(once, { ...OF, now: NOW + 1 });
  const other = redrivenDelivery(aDelivery(), { ...OF, replayId: "rpl_2" });

  expect([twice.deliveryId, twice.step]).toEqual([once.deliveryId, once.step]);
  expect(other.deliveryId).not.toBe(once.deliveryId);
  expect(other.webhookId).toBe(once.webhookId);
});
