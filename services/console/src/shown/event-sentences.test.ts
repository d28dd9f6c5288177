import { expect, test } from "@jest/globals";
import type {
  EndpointNow,
  ExplainedDelivery,
  Explanation,
} from "../api/answers-event.ts";
import {
  arrivalSentence,
  deliverySentence,
  othersOf,
  verdictSentence,
} from "./event-sentences.ts";
import { stepOf } from "./next-steps.ts";

const ENDPOINT: EndpointNow = {
  id: "ep_1",
  state: "enabled",
  stateReason: null,
  description: "crm",
  url: "https://a.example/hook",
  eventTypes: ["order.*"],
  filter: null,
};
const DELIVERY: ExplainedDelivery = {
  id: "dlv_1",
  endpoint: ENDPOINT,
  status: "failed",
  replayId: null,
  isSentAgain: false,
  attempts: 2,
  lastAttempt: {
    startedAt: "2026-11-30T12:00:00.000Z",
    outcome: "http_error",
    statusCode: 503,
    durationMs: 4,
  },
  waitsFor: null,
  deferralReason: null,
  nextAttemptAt: null,
  isOverdue: false,
  deadLetter: null,
};
const SHOWED =
  "The receiver answered 503. The fault is on the receiver's side.";

test.each<[string, Partial<ExplainedDelivery>, string]>([
  [
    "delivered",
    {
      status: "delivered",
      lastAttempt: {
        ...DELIVERY.lastAttempt!,
        outcome: "delivered",
        statusCode: 204,
      },
    },
    "The receiver accepted it with 204 in 4 ms.",
  ],
  [
    "waiting for the first attempt",
    {
      status: "pending",
      attempts: 0,
      lastAttempt: null,
      waitsFor: "first_attempt",
    },
    "It waits for its first attempt.",
  ],
  [
    "overdue",
    { waitsFor: "retry", isOverdue: true },
    `${SHOWED} It will be tried again. That is overdue: a service may be behind or down.`,
  ],
  [
    "put off",
    { waitsFor: "deferral", deferralReason: "rate_limited" },
    `${SHOWED} The endpoint's rate limit is used up for now.`,
  ],
  [
    "parked, and its endpoint is enabled since",
    {
      waitsFor: "resume",
      attempts: 0,
      lastAttempt: null,
      deadLetter: { reason: "paused", detail: null },
    },
    "It is parked, because its endpoint was paused: a resume sends it. The endpoint is enabled now.",
  ],
  [
    "given up, and its endpoint is disabled since",
    {
      status: "expired",
      deadLetter: { reason: "exhausted", detail: "2 of 2" },
      endpoint: { ...ENDPOINT, state: "disabled", stateReason: "gone" },
    },
    `${SHOWED} All attempts are used up. The endpoint is disabled now (gone).`,
  ],
  [
    "given up, and sent again",
    {
      status: "expired",
      isSentAgain: true,
      deadLetter: { reason: "exhausted", detail: null },
    },
    `${SHOWED} All attempts are used up. It was sent again since.`,
  ],
])("a delivery that is %s", (_, more, said) => {
  expect(deliverySentence({ ...DELIVERY, ...more })).toBe(said);
});

const NOBODY = { count: 0, endpoints: [] };
const EVENT: Explanation = {
  id: "evt_1",
  type: "order.paid",
  tenantId: "acme",
  verdict: "partly_delivered",
  arrival: {
    receivedAt: "2026-11-30T12:00:00.000Z",
    occurredAt: null,
    decision: "routed",
    reason: null,
    source: {
      kind: "events",
      topic: "postrider.events",
      partition: 0,
      offset: 7,
    },
  },
  arrivals: { count: 1, others: [] },
  sent: {
    endpoints: 3,
    deliveries: 3,
    delivered: 2,
    waiting: 0,
    parked: 0,
    givenUp: 1,
  },
  deliveries: [],
  disabled: NOBODY,
  filtered: NOBODY,
  notNamed: null,
  next: [],
  truncated: false,
};

test.each<[Partial<Explanation>, string]>([
  [{}, "It was sent to 3 endpoints: 2 got it, 1 given up."],
  [
    {
      verdict: "delivered",
      sent: { ...EVENT.sent, endpoints: 1, delivered: 1, givenUp: 0 },
    },
    "It was sent to 1 endpoint, which got it.",
  ],
  [
    { verdict: "under_way", sent: { ...EVENT.sent, endpoints: 0 } },
    "It was routed; its deliveries are not recorded yet.",
  ],
  [
    {
      verdict: "nobody",
      arrival: {
        ...EVENT.arrival!,
        reason: "no endpoint of the tenant wants this type",
      },
    },
    "Nobody was sent it: no endpoint of the tenant wants this type.",
  ],
  [
    {
      verdict: "turned_away",
      arrival: { ...EVENT.arrival!, reason: "type: is wrong" },
    },
    "It was turned away, and nobody was sent it: type: is wrong.",
  ],
  [{ verdict: "of a newer version" }, "It is of a newer version."],
])("what became of an event: %j", (more, said) => {
  expect(verdictSentence({ ...EVENT, ...more })).toBe(said);
});

test("how an event came in is told as far as it is recorded", () => {
  expect(arrivalSentence(EVENT)).toBe(
    "by the door, or from a producer of yours",
  );
  expect(
    arrivalSentence({ ...EVENT, type: "postrider.endpoint.disabled" }),
  ).toBe("from Postrider itself");
  expect(arrivalSentence({ ...EVENT, arrival: null })).toBe(
    "not recorded: it is a test event, or its arrival is not written yet",
  );
});

test("those that were sent nothing are grouped by why", () => {
  const other = { ...ENDPOINT, reason: "created_later" };
  const event = {
    ...EVENT,
    disabled: { count: 2, endpoints: [ENDPOINT] },
    notNamed: {
      countThen: 1,
      byReason: { event_types: 0, created_later: 1 },
      endpoints: [other],
    },
  };

  expect(othersOf(event)).toEqual([
    {
      why: "2 endpoints wanted its type and were disabled then.",
      endpoints: [ENDPOINT],
      hidden: 1,
    },
    {
      why: "1 endpoint was created after it came in.",
      endpoints: [other],
      hidden: 0,
    },
  ]);
});

test.each([
  ["redrive_delivery", "npx postrider deliveries redrive dlv_1"],
  ["enable_endpoint", "npx postrider endpoints enable ep_1"],
  [
    "backfill_endpoint",
    "npx postrider replay backfill ep_1 --event-type order.paid --since 2026-11-30T12:00:00.000Z --until 2026-11-30T12:00:00.001Z",
  ],
  [
    "publish_again",
    "npx postrider publish --tenant acme --type order.paid --payload JSON",
  ],
  ["of_a_later_version", null],
])("the step %s has its command", (action, command) => {
  const step = { action, endpointId: "ep_1", deliveryId: "dlv_1" };

  expect(stepOf(step, EVENT).command).toBe(command);
});

test("an id that a shell would read as something else is quoted in a command", () => {
  const step = { action: "try_filter", endpointId: "ep_1", deliveryId: null };

  expect(stepOf(step, { ...EVENT, id: "a $(b) 'c'" }).command).toBe(
    String.raw`npx postrider endpoints match ep_1 --event 'a $(b) '\''c'\'''`,
  );
});
