import { expect, test } from "@jest/globals";
import { createTerminal } from "../terminal.ts";
import { explainLines } from "./explain-lines.ts";
import type {
  Arrival,
  EndpointNow,
  ExplainedDelivery,
  Explanation,
} from "./explanation.ts";

const AT = "2026-11-30T12:00:00.000Z";

const ENDPOINT: EndpointNow = {
  id: "ep_1",
  state: "enabled",
  stateReason: null,
  externalId: "crm",
  description: "",
  url: "https://a.example/hook",
  eventTypes: ["order.*"],
  filter: null,
  rateLimit: null,
};
const NAME = "ep_1 (crm, https://a.example/hook)";

const ARRIVAL: Arrival = {
  receivedAt: AT,
  decidedAt: AT,
  decision: "routed",
  reason: null,
  field: null,
  rule: null,
  source: {
    kind: "events",
    topic: "postrider.events",
    partition: 0,
    offset: 7,
  },
};

const DELIVERY: ExplainedDelivery = {
  id: "dlv_1",
  endpoint: ENDPOINT,
  status: "failed",
  replayId: null,
  isSentAgain: false,
  attempts: 0,
  outcomes: [],
  lastAttempt: null,
  waitsFor: null,
  deferralReason: null,
  tier: null,
  nextAttemptAt: null,
  isOverdue: false,
  breaker: null,
  deadLetter: null,
};

const FAILED = {
  attempts: 3,
  outcomes: [
    { outcome: "timeout", statusCode: null, count: 2 },
    { outcome: "http_error", statusCode: 503, count: 1 },
  ],
  lastAttempt: {
    attemptNumber: 3,
    startedAt: AT,
    outcome: "timeout",
    statusCode: null,
    trigger: "retry",
    error: "no answer within 15 s",
  },
};
const FAILED_LINE = `3 attempts were made: timeout (2 times), http_error 503. The last began at ${AT}: no answer within 15 s.`;

const NOBODY = { count: 0, endpoints: [] };
const SENT_TO_NOBODY = {
  endpoints: 0,
  deliveries: 0,
  delivered: 0,
  waiting: 0,
  parked: 0,
  givenUp: 0,
};

function lines(more: Partial<Explanation>): string[] {
  const explanation: Explanation = {
    id: "evt_1",
    type: "order.paid",
    tenantId: "acme",
    verdict: "under_way",
    arrival: ARRIVAL,
    arrivals: { count: 1, others: [] },
    deadLetter: null,
    sent: {
      endpoints: 1,
      deliveries: 1,
      delivered: 0,
      waiting: 1,
      parked: 0,
      givenUp: 0,
    },
    deliveries: [],
    paused: NOBODY,
    disabled: NOBODY,
    filtered: NOBODY,
    notNamed: null,
    next: [],
    truncated: false,
    ...more,
  };
  return explainLines(explanation, createTerminal(false)).split("\n");
}

const HEAD = [
  "evt_1  order.paid  tenant acme",
  `It came in at ${AT} as postrider.events/0@7: by the door, or from a producer of yours.`,
];

test.each<[string, Partial<ExplainedDelivery>, readonly string[]]>([
  [
    "delivered",
    {
      status: "delivered",
      attempts: 2,
      lastAttempt: {
        ...FAILED.lastAttempt,
        attemptNumber: 2,
        outcome: "delivered",
        statusCode: 204,
      },
    },
    [`${NAME}: delivered.`, `  Attempt 2 at ${AT} was answered 204.`],
  ],
  [
    "queued",
    { waitsFor: "first_attempt", isOverdue: true },
    [
      `${NAME}: not sent yet.`,
      "  It waits for its turn in the topic deliveries.",
      "  Nothing further is recorded since: a service may be behind or down.",
    ],
  ],
  [
    "waiting for its retry",
    { ...FAILED, waitsFor: "retry", nextAttemptAt: AT, tier: "retry.64s" },
    [
      `${NAME}: not delivered yet.`,
      `  ${FAILED_LINE}`,
      `  The next attempt is due at ${AT} (in the tier retry.64s).`,
    ],
  ],
  [
    "put off by its rate limit",
    {
      endpoint: { ...ENDPOINT, rateLimit: { perSecond: 0.5, burst: 1 } },
      waitsFor: "deferral",
      deferralReason: "rate_limited",
      nextAttemptAt: AT,
    },
    [
      `${NAME}: not sent yet.`,
      "  It waits without spending an attempt (rate_limited): the endpoint's rate limit lets no more through (now 0.5 a second, 1 at once).",
      `  That wait was to end at ${AT}; it may be put off again.`,
    ],
  ],
  [
    "behind an open breaker, for a reason of a later version",
    {
      waitsFor: "deferral",
      deferralReason: "moon_full",
      breaker: { openedAt: AT, detail: "10 attempts in a row failed" },
    },
    [
      `${NAME}: not sent yet.`,
      "  It waits without spending an attempt (moon_full): moon_full.",
      `  The endpoint's circuit breaker opened at ${AT} (10 attempts in a row failed), and no closing is recorded.`,
    ],
  ],
  [
    "parked",
    {
      endpoint: { ...ENDPOINT, state: "paused", stateReason: "they move" },
      waitsFor: "resume",
      deadLetter: {
        reason: "paused",
        detail: "they move",
        place: { topic: "postrider.dead-letters", partition: 2, offset: 5 },
      },
    },
    [
      `${NAME}: parked.`,
      "  Its endpoint was paused (they move): it waits until somebody resumes the endpoint. Its dead letter is postrider.dead-letters/2@5.",
      "  The endpoint is paused now (they move).",
    ],
  ],
  [
    "put off in the minute after its endpoint was deleted",
    {
      endpoint: {
        ...ENDPOINT,
        state: "deleted",
        externalId: null,
        url: null,
      },
      waitsFor: "deferral",
      deferralReason: "endpoint_unknown",
      nextAttemptAt: AT,
    },
    [
      "ep_1: not sent yet.",
      "  It waits without spending an attempt (endpoint_unknown): its endpoint was deleted, and it is given up once the dispatcher has not known the endpoint for a minute.",
      `  That wait was to end at ${AT}; it may be put off again.`,
      "  The endpoint does not exist any more.",
    ],
  ],
  [
    "given up, of an endpoint that was deleted",
    {
      ...FAILED,
      endpoint: {
        ...ENDPOINT,
        state: "deleted",
        externalId: null,
        url: null,
      },
      status: "expired",
      deadLetter: { reason: "endpoint_deleted", detail: null, place: null },
    },
    [
      "ep_1: given up.",
      `  ${FAILED_LINE}`,
      "  It was given up (endpoint_deleted): the endpoint was deleted.",
      "  The endpoint does not exist any more.",
    ],
  ],
])("a delivery that is %s", (_, delivery, expected) => {
  const shown = lines({ deliveries: [{ ...DELIVERY, ...delivery }] });

  expect(shown).toEqual([
    ...HEAD,
    "It was sent to 1 endpoint: 1 still to get it.",
    "",
    ...expected,
    "  (dlv_1)",
  ]);
});

const NOT_NAMED = {
  ...ENDPOINT,
  reason: "event_types",
  createdAt: AT,
  updatedAt: AT,
};

test.each<[string, Partial<Explanation>, readonly string[]]>([
  [
    "delivered to all",
    {
      verdict: "delivered",
      sent: {
        endpoints: 2,
        deliveries: 2,
        delivered: 2,
        waiting: 0,
        parked: 0,
        givenUp: 0,
      },
    },
    [
      "It was sent to 2 endpoints, and all got it.",
      "",
      "2 more deliveries are not shown.",
    ],
  ],
  [
    "wanted by nobody, and got by one since",
    {
      verdict: "delivered",
      sent: {
        endpoints: 1,
        deliveries: 0,
        delivered: 1,
        waiting: 0,
        parked: 0,
        givenUp: 0,
      },
      arrival: {
        ...ARRIVAL,
        decision: "no_match",
        reason: "no endpoint of the tenant wants this type",
      },
    },
    [
      "It was sent to 1 endpoint, which got it.",
      "When it was routed (no_match): no endpoint of the tenant wants this type.",
    ],
  ],
  [
    "wanted by nobody",
    {
      verdict: "nobody",
      sent: SENT_TO_NOBODY,
      arrival: {
        ...ARRIVAL,
        decision: "no_match",
        reason: "no endpoint of the tenant wants this type",
      },
      notNamed: {
        countThen: 12,
        byReason: { event_types: 11, created_later: 1 },
        endpoints: [{ ...NOT_NAMED, reason: "created_later" }, NOT_NAMED],
      },
      next: [
        { action: "backfill_endpoint", endpointId: "ep_1", deliveryId: null },
        { action: "an_action_to_come", endpointId: null, deliveryId: null },
      ],
    },
    [
      "Nobody was sent it (no_match): no endpoint of the tenant wants this type.",
      "",
      "Of the tenant's other endpoints 11 do not want this type, 1 was created after that:",
      `  ${NAME}: enabled now; wants order.*; created at ${AT}`,
      `  ${NAME}: enabled now; wants order.*`,
      "  and 10 more",
      "",
      "What you can do:",
      "  npx postrider replay backfill ep_1 --event-type order.paid --since 2026-11-30T12:00:00.000Z --until 2026-11-30T12:00:00.001Z   (send it this event, if its filter lets it through)",
      "  an_action_to_come",
    ],
  ],
  [
    "wanted by a disabled one",
    {
      verdict: "nobody",
      sent: SENT_TO_NOBODY,
      arrival: { ...ARRIVAL, decision: "no_match" },
      disabled: {
        count: 1,
        endpoints: [{ ...ENDPOINT, state: "disabled", stateReason: "410" }],
      },
      next: [
        { action: "enable_endpoint", endpointId: "ep_1", deliveryId: null },
      ],
    },
    [
      "Nobody was sent it (no_match).",
      "",
      "1 endpoint wanted this type and was disabled then, so nothing was sent:",
      `  ${NAME}: disabled now (410)`,
      "",
      "What you can do:",
      "  npx postrider endpoints enable ep_1   (deliver to it again)",
    ],
  ],
  [
    "left out by a filter that was false",
    {
      verdict: "nobody",
      sent: SENT_TO_NOBODY,
      arrival: { ...ARRIVAL, decision: "filtered" },
      filtered: { count: 1, endpoints: [{ ...ENDPOINT, filter: "false" }] },
    },
    [
      "Nobody was sent it (filtered).",
      "",
      "1 endpoint wants this type, but its filter did not let it through:",
      `  ${NAME}: enabled now; its filter is now false`,
    ],
  ],
  [
    "left out by a filter that was false and one that failed",
    {
      verdict: "nobody",
      sent: SENT_TO_NOBODY,
      arrival: {
        ...ARRIVAL,
        decision: "filtered",
        reason: "the filter of ep_1 failed: no such key",
        field: "filter",
        rule: "filter_failed",
      },
      filtered: {
        count: 2,
        endpoints: [
          { ...ENDPOINT, filter: "payload.a" },
          { ...ENDPOINT, id: "ep_2", filter: "false" },
        ],
      },
    },
    [
      "Nobody was sent it (filtered): the filter of ep_1 failed: no such key.",
      "",
      "2 endpoints want this type, but their filters were false, or failed as said above:",
      `  ${NAME}: enabled now; its filter is now payload.a`,
      `  ep_2 (crm, https://a.example/hook): enabled now; its filter is now false`,
    ],
  ],
])("an event that was %s", (_, explanation, expected) => {
  expect(lines(explanation)).toEqual([...HEAD, ...expected]);
});

test("an event that was turned away, where and why", () => {
  const shown = lines({
    verdict: "turned_away",
    arrival: {
      ...ARRIVAL,
      decision: "invalid",
      reason: "type: must be dotted",
      source: { ...ARRIVAL.source, kind: "configured_source", topic: "orders" },
    },
    deadLetter: {
      reason: "invalid",
      detail: "type: must be dotted",
      place: { topic: "postrider.dead-letters", partition: 0, offset: 1 },
    },
    sent: SENT_TO_NOBODY,
  });

  expect(shown.slice(1)).toEqual([
    `It came in at ${AT} as orders/0@7: from a configured source.`,
    "Its record is kept as a dead letter (invalid): postrider.dead-letters/0@1.",
    "It was turned away (invalid), and nobody was sent it: type: must be dotted.",
  ]);
});

test("an event that came more than once shows each arrival", () => {
  const shown = lines({
    verdict: "delivered",
    arrivals: {
      count: 4,
      others: [
        {
          ...ARRIVAL,
          decision: "duplicate",
          reason: "an event of this tenant and id was accepted before",
        },
      ],
    },
  });

  expect(shown.slice(2, 5)).toEqual([
    "It came in 4 times. The others:",
    `  ${AT}  duplicate  postrider.events/0@7  an event of this tenant and id was accepted before`,
    "  and 2 more",
  ]);
});

test("an event of which no arrival is recorded", () => {
  const test = { ...FAILED.lastAttempt, trigger: "test" };

  const ofTest = lines({
    arrival: null,
    deliveries: [{ ...DELIVERY, ...FAILED, lastAttempt: test }],
  });
  const ofLate = lines({ arrival: null });

  expect(ofTest[1]).toBe(
    "It is a test event, which control sent to one endpoint: it never came in.",
  );
  expect(ofLate[1]).toBe(
    "When it came in is not recorded, or not recorded yet.",
  );
});

test("what a receiver or an owner wrote does not control the terminal", () => {
  const shown = lines({
    deliveries: [
      {
        ...DELIVERY,
        ...FAILED,
        endpoint: { ...ENDPOINT, description: "a\u001b[2Jb\nc" },
        lastAttempt: { ...FAILED.lastAttempt, error: "x\u001b[31my\r" },
      },
    ],
  }).join("\n");

  expect(shown).not.toContain("\u001b");
  expect(shown).not.toContain("\r");
});
