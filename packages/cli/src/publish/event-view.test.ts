import { expect, test } from "@jest/globals";
import type { DeliveryView } from "../event-view.ts";
import { isSettled } from "./event-view.ts";

const ATTEMPT = {
  startedAt: "2126-01-01T00:00:00.000Z",
  outcome: "http_error",
  statusCode: 500,
  durationMs: 1,
  trigger: "first",
  error: null,
};

function isEnd(delivery: Partial<DeliveryView>): boolean {
  return isSettled({
    id: "evt_1",
    type: "order.paid",
    tenantId: "acme",
    occurredAt: null,
    receivedAt: "2126-01-01T00:00:00.000Z",
    decision: "routed",
    reason: null,
    deliveries: [
      {
        id: "dlv_1",
        endpointId: "ep_1",
        status: "expired",
        attempts: [],
        nextAttemptAt: null,
        ...delivery,
      },
    ],
  });
}

test("a delivery that was given up is at its end once each of its attempts is recorded", () => {
  const attempts = [1, 2].map((attemptNumber) => ({
    ...ATTEMPT,
    attemptNumber,
  }));

  expect(isEnd({ attempts, attemptCount: 3 })).toBe(false);
  expect(isEnd({ attempts, attemptCount: 2 })).toBe(true);
  expect(isEnd({ attemptCount: 0 })).toBe(true);
  expect(isEnd({ status: "failed", attempts, attemptCount: 2 })).toBe(false);
});

test("a control that does not count attempts is believed", () => {
  expect(isEnd({})).toBe(true);
});
