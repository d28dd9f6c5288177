import { expect, test } from "@jest/globals";
import { lastStartAt } from "@postrider/core";
import { aDeadLetter, aDelivery, BUILT_AT } from "@postrider/testkit";
import { resentDelivery } from "./resent-delivery.ts";

const DAY_MS = 86_400_000;
const delivery = aDelivery({
  step: 3,
  attemptNumber: 2,
  endpointVersion: 4,
  nextAttemptAt: BUILT_AT,
  slotAt: BUILT_AT,
  deferralReason: "lane_slow",
});
const resume = { endpointId: delivery.endpointId, endpointVersion: 7 };
const parkedOne = aDeadLetter({ reason: "paused", deadAt: BUILT_AT, delivery });

test("a parked delivery is sent with the step that parking raised, for the version that resumed it, and at once", () => {
  const sent = resentDelivery(parkedOne, resume, BUILT_AT);

  expect(sent).toEqual({
    ...delivery,
    endpointVersion: 7,
    nextAttemptAt: null,
    slotAt: null,
    deferralReason: null,
  });
});

test("days in which it was parked do not use up its age", () => {
  const now = BUILT_AT + 20 * DAY_MS;

  const sent = resentDelivery(parkedOne, resume, now);

  expect(sent && lastStartAt(sent, 72 * 3_600_000)).toBeGreaterThan(now);
});

test("dead letters of other endpoints, and with other reasons, are left where they are", () => {
  const other = aDelivery({ endpointId: "ep_other" });

  for (const letter of [
    aDeadLetter({ reason: "exhausted", delivery }),
    aDeadLetter({ reason: "paused", delivery: other }),
    aDeadLetter({ reason: "paused", delivery: null }),
  ])
    expect(resentDelivery(letter, resume, BUILT_AT)).toBeNull();
});
