import { expect, test } from "@jest/globals";
import type { Endpoint } from "@postrider/core";
import { anEndpoint } from "@postrider/testkit";
import { explain, type ExplainFacts } from "./explain.ts";
import type {
  ArrivalRow,
  ExplainedAttemptRow,
  ExplainedDeliveryRow,
  LetterRow,
  NamedRow,
} from "./explain-sql.ts";
import { explanation } from "./explanation.ts";

const AT = Date.UTC(2026, 10, 30, 12);
const NOW = AT + 5_000;

function anArrival(row: Partial<ArrivalRow> = {}): ArrivalRow {
  return {
    event_type: "order.paid",
    decision: "routed",
    reason: "",
    field: "",
    rule: "",
    payload_bytes: 2,
    no_match_count: 0,
    occurredAt: null,
    receivedAt: AT,
    decidedAt: AT + 5,
    source_topic: "postrider.events",
    source_partition: 1,
    source_offset: 7,
    arrivals: 1,
    ...row,
  };
}

function aDelivery(
  row: Partial<ExplainedDeliveryRow> = {},
): ExplainedDeliveryRow {
  return {
    delivery_id: "dlv_1",
    endpoint_id: "ep_1",
    status: "pending",
    replay_id: "",
    attempts: 0,
    deferral_reason: "",
    dead_letter_reason: "",
    version: 0,
    next_attempt_at: null,
    ...row,
  };
}

function anAttempt(
  row: Partial<ExplainedAttemptRow> = {},
): ExplainedAttemptRow {
  return {
    delivery_id: "dlv_1",
    attempt_number: 1,
    step: 0,
    started_at: AT + 10,
    outcome: "http_error",
    status_code: 503,
    duration_ms: 12,
    trigger: "first",
    error: "",
    next_attempt_at: NOW + 60_000,
    deferral_reason: "",
    status: "failed",
    dead_letter_reason: "",
    tier: "retry.64s",
    ...row,
  };
}

function aLetter(row: Partial<LetterRow> = {}): LetterRow {
  return {
    delivery_id: "dlv_1",
    reason: "exhausted",
    detail: "attempt 20 was the last",
    deadAt: AT + 100,
    log_topic: "postrider.dead-letters",
    log_partition: 0,
    log_offset: 3,
    ...row,
  };
}

const NAMED: NamedRow = { sent: [], paused: [], disabled: [], filtered: [] };

function ownEndpoint(fields: Partial<Endpoint> = {}): Endpoint {
  return anEndpoint({
    id: "ep_1",
    createdAt: AT - 9_000,
    updatedAt: AT - 9_000,
    ...fields,
  });
}

function explained(
  facts: Partial<Omit<ExplainFacts, "endpoints">> & {
    readonly endpoints?: readonly Endpoint[];
  },
) {
  const { endpoints = [ownEndpoint()], ...rest } = facts;
  const found = explain(
    {
      id: "evt_1",
      tenantId: "acme",
      type: "order.paid",
      arrivals: [anArrival()],
      named: { ...NAMED, sent: ["ep_1"] },
      deliveries: [],
      counts: null,
      attempts: [],
      letters: [],
      breakers: [],
      truncated: false,
      eventsTopic: "postrider.events",
      ...rest,
      endpoints: new Map(endpoints.map((one) => [one.id, one])),
    },
    NOW,
  );
  expect(explanation.safeParse(found).error).toBe(undefined);
  return found;
}

const steps = (found: ReturnType<typeof explained>): string[] =>
  found.next.map(({ action, endpointId, deliveryId }) =>
    [action, endpointId, deliveryId].filter((part) => part !== null).join(" "),
  );

const DEFERRED = anAttempt({
  attempt_number: 0,
  outcome: "",
  status_code: null,
  status: "pending",
  deferral_reason: "breaker_open",
});
const DEAD = { status: "expired", version: 2 * 65_536 };

/** What one delivery to one endpoint comes to. */
test.each<
  [
    name: string,
    facts: Parameters<typeof explained>[0],
    verdict: string,
    delivery: object,
    next: readonly string[],
  ]
>([
  [
    "not attempted yet",
    { deliveries: [aDelivery()] },
    "under_way",
    { waitsFor: "first_attempt", isOverdue: false, attempts: 0 },
    [],
  ],
  [
    "not attempted for longer than any queue should be",
    {
      arrivals: [anArrival({ decidedAt: NOW - 61_000 })],
      deliveries: [aDelivery()],
    },
    "under_way",
    { waitsFor: "first_attempt", isOverdue: true },
    ["look_at_services"],
  ],
  [
    "delivered, before its row in deliveries says so",
    {
      deliveries: [aDelivery()],
      attempts: [
        anAttempt({
          outcome: "delivered",
          status_code: 200,
          status: "delivered",
          next_attempt_at: null,
          tier: "",
        }),
      ],
    },
    "delivered",
    { status: "delivered", waitsFor: null, attempts: 1 },
    [],
  ],
  [
    "waiting for its retry",
    {
      deliveries: [aDelivery({ status: "failed", attempts: 2 })],
      attempts: [
        anAttempt(),
        anAttempt({ attempt_number: 2, step: 1, error: "slow" }),
      ],
    },
    "under_way",
    {
      waitsFor: "retry",
      tier: "retry.64s",
      nextAttemptAt: "2026-11-30T12:01:05.000Z",
      outcomes: [{ outcome: "http_error", statusCode: 503, count: 2 }],
      lastAttempt: expect.objectContaining({ attemptNumber: 2, error: "slow" }),
    },
    [],
  ],
  [
    "waiting for an open breaker",
    {
      deliveries: [aDelivery()],
      attempts: [DEFERRED],
      breakers: [
        {
          endpoint_id: "ep_1",
          kind: "breaker_opened",
          detail: "10 in a row",
          seenAt: AT,
        },
      ],
    },
    "under_way",
    {
      waitsFor: "deferral",
      deferralReason: "breaker_open",
      attempts: 0,
      breaker: { openedAt: "2026-11-30T12:00:00.000Z", detail: "10 in a row" },
    },
    [],
  ],
  [
    "waiting, with a breaker that has closed since",
    {
      deliveries: [aDelivery()],
      attempts: [{ ...DEFERRED, deferral_reason: "rate_limited" }],
      breakers: [
        {
          endpoint_id: "ep_1",
          kind: "breaker_closed",
          detail: "",
          seenAt: AT,
        },
      ],
      endpoints: [ownEndpoint({ rateLimit: { perSecond: 2, burst: 2 } })],
    },
    "under_way",
    {
      deferralReason: "rate_limited",
      breaker: null,
      endpoint: expect.objectContaining({
        rateLimit: { perSecond: 2, burst: 2 },
      }),
    },
    [],
  ],
  [
    "waiting for an endpoint that was disabled meanwhile",
    {
      deliveries: [aDelivery()],
      attempts: [anAttempt()],
      endpoints: [ownEndpoint({ state: "disabled", stateReason: "by hand" })],
    },
    "under_way",
    { waitsFor: "retry" },
    ["enable_endpoint ep_1"],
  ],
  [
    "failing at a name that does not resolve",
    {
      deliveries: [aDelivery()],
      attempts: [anAttempt({ outcome: "dns_error", status_code: null })],
    },
    "under_way",
    { waitsFor: "retry" },
    ["fix_url ep_1"],
  ],
  [
    "parked",
    {
      named: { ...NAMED, sent: ["ep_1"], paused: ["ep_1"] },
      deliveries: [aDelivery({ dead_letter_reason: "paused", version: 1 })],
      letters: [aLetter({ reason: "paused", detail: "they move" })],
      endpoints: [ownEndpoint({ state: "paused", stateReason: "they move" })],
    },
    "parked",
    {
      waitsFor: "resume",
      deadLetter: expect.objectContaining({
        reason: "paused",
        detail: "they move",
        place: { topic: "postrider.dead-letters", partition: 0, offset: 3 },
      }),
    },
    ["resume_endpoint ep_1"],
  ],
  [
    "parked, and its endpoint disabled since",
    {
      deliveries: [aDelivery({ dead_letter_reason: "paused", version: 1 })],
      endpoints: [ownEndpoint({ state: "disabled" })],
    },
    "parked",
    { waitsFor: "resume" },
    ["enable_endpoint ep_1"],
  ],
  [
    "given up after its last attempt",
    {
      deliveries: [aDelivery({ ...DEAD, dead_letter_reason: "exhausted" })],
      attempts: [
        anAttempt({
          status: "expired",
          dead_letter_reason: "exhausted",
          next_attempt_at: null,
        }),
      ],
      letters: [aLetter()],
    },
    "given_up",
    {
      waitsFor: null,
      deadLetter: expect.objectContaining({
        reason: "exhausted",
        detail: "attempt 20 was the last",
      }),
    },
    ["redrive_delivery ep_1 dlv_1"],
  ],
  [
    "given up by a 410, which disabled the endpoint",
    {
      deliveries: [aDelivery({ ...DEAD, dead_letter_reason: "gone" })],
      endpoints: [ownEndpoint({ state: "disabled" })],
    },
    "given_up",
    { deadLetter: expect.objectContaining({ reason: "gone", detail: null }) },
    ["enable_endpoint ep_1", "redrive_delivery ep_1 dlv_1"],
  ],
  [
    "given up because its address is blocked",
    {
      deliveries: [aDelivery({ ...DEAD, dead_letter_reason: "blocked" })],
      attempts: [
        anAttempt({
          outcome: "blocked",
          status_code: null,
          status: "expired",
          dead_letter_reason: "blocked",
        }),
      ],
    },
    "given_up",
    { status: "expired" },
    ["fix_url ep_1", "redrive_delivery ep_1 dlv_1"],
  ],
  [
    "given up, and its endpoint deleted",
    {
      deliveries: [
        aDelivery({ ...DEAD, dead_letter_reason: "endpoint_deleted" }),
      ],
      endpoints: [],
    },
    "given_up",
    { endpoint: expect.objectContaining({ state: "deleted", url: null }) },
    ["create_endpoint"],
  ],
  [
    "to a destination of its own, given up",
    {
      named: { ...NAMED, sent: ["inline_1"] },
      deliveries: [
        aDelivery({
          ...DEAD,
          endpoint_id: "inline_1",
          dead_letter_reason: "exhausted",
        }),
      ],
    },
    "given_up",
    { endpoint: expect.objectContaining({ state: "inline" }) },
    ["redrive_delivery inline_1 dlv_1"],
  ],
  [
    "a test that failed, of which no arrival is recorded",
    {
      arrivals: [],
      named: null,
      deliveries: [aDelivery({ ...DEAD, dead_letter_reason: "exhausted" })],
      attempts: [
        anAttempt({
          trigger: "test",
          status: "expired",
          dead_letter_reason: "exhausted",
        }),
      ],
    },
    "given_up",
    { status: "expired" },
    ["test_endpoint ep_1"],
  ],
])("a delivery that is %s", (_, facts, verdict, delivery, next) => {
  const found = explained(facts);

  expect(found.verdict).toBe(verdict);
  expect(found.deliveries).toMatchObject([delivery]);
  expect(steps(found)).toEqual(next);
});

const NO_MATCH = {
  arrivals: [anArrival({ decision: "no_match", no_match_count: 1 })],
  named: NAMED,
};

/** Why nobody was sent it. */
test.each<
  [
    name: string,
    facts: Parameters<typeof explained>[0],
    said: object,
    next: readonly string[],
  ]
>([
  [
    "no endpoint wants the type",
    {
      ...NO_MATCH,
      endpoints: [ownEndpoint({ eventTypes: ["order.shipped"] })],
    },
    {
      verdict: "nobody",
      notNamed: {
        countThen: 1,
        byReason: expect.objectContaining({ event_types: 1 }),
        endpoints: [
          expect.objectContaining({ id: "ep_1", reason: "event_types" }),
        ],
      },
    },
    ["change_event_types ep_1"],
  ],
  [
    "several do not want the type",
    {
      ...NO_MATCH,
      endpoints: ["ep_1", "ep_2"].map((id) =>
        ownEndpoint({ id, eventTypes: ["a"] }),
      ),
    },
    { verdict: "nobody" },
    ["change_event_types"],
  ],
  [
    "the tenant has no endpoint",
    { ...NO_MATCH, endpoints: [] },
    { verdict: "nobody", notNamed: expect.objectContaining({ endpoints: [] }) },
    ["create_endpoint"],
  ],
  [
    "its endpoint was created later",
    { ...NO_MATCH, endpoints: [ownEndpoint({ createdAt: AT + 6 })] },
    {
      notNamed: expect.objectContaining({
        byReason: expect.objectContaining({ created_later: 1 }),
      }),
    },
    ["backfill_endpoint ep_1"],
  ],
  [
    "its endpoint wants the type only since a change",
    { ...NO_MATCH, endpoints: [ownEndpoint({ updatedAt: AT + 6 })] },
    {
      notNamed: expect.objectContaining({
        byReason: expect.objectContaining({ changed_later: 1 }),
      }),
    },
    ["backfill_endpoint ep_1"],
  ],
  [
    "route had not read its endpoint yet",
    { ...NO_MATCH, endpoints: [ownEndpoint({ createdAt: AT, updatedAt: AT })] },
    {
      notNamed: expect.objectContaining({
        byReason: expect.objectContaining({ not_read_yet: 1 }),
      }),
    },
    ["backfill_endpoint ep_1"],
  ],
  [
    "its endpoint was disabled, and is",
    {
      ...NO_MATCH,
      named: { ...NAMED, disabled: ["ep_1"] },
      endpoints: [ownEndpoint({ state: "disabled", stateReason: "410" })],
    },
    {
      disabled: {
        count: 1,
        endpoints: [
          expect.objectContaining({ state: "disabled", stateReason: "410" }),
        ],
      },
      notNamed: expect.objectContaining({ endpoints: [] }),
    },
    ["enable_endpoint ep_1", "backfill_endpoint ep_1"],
  ],
  [
    "its endpoint was disabled, and is deleted",
    { ...NO_MATCH, named: { ...NAMED, disabled: ["ep_9"] }, endpoints: [] },
    {
      disabled: {
        count: 1,
        endpoints: [expect.objectContaining({ state: "deleted" })],
      },
    },
    ["create_endpoint"],
  ],
  [
    "its endpoint's filter did not let it through",
    {
      arrivals: [anArrival({ decision: "filtered" })],
      named: { ...NAMED, filtered: ["ep_1"] },
      endpoints: [ownEndpoint({ filter: "payload.total > 100" })],
    },
    {
      verdict: "nobody",
      filtered: {
        count: 1,
        endpoints: [expect.objectContaining({ id: "ep_1" })],
      },
      notNamed: expect.objectContaining({ endpoints: [] }),
    },
    ["try_filter ep_1"],
  ],
  [
    "its endpoint's filter was taken away since",
    {
      arrivals: [anArrival({ decision: "filtered" })],
      named: { ...NAMED, filtered: ["ep_1"] },
    },
    { verdict: "nobody" },
    ["backfill_endpoint ep_1"],
  ],
  [
    "it broke a rule",
    {
      arrivals: [
        anArrival({ decision: "invalid", field: "type", rule: "type" }),
      ],
      named: null,
      letters: [aLetter({ delivery_id: "", reason: "invalid", detail: "bad" })],
    },
    {
      verdict: "turned_away",
      arrival: expect.objectContaining({ field: "type", rule: "type" }),
      deadLetter: {
        reason: "invalid",
        detail: "bad",
        place: { topic: "postrider.dead-letters", partition: 0, offset: 3 },
      },
      notNamed: null,
    },
    ["publish_again"],
  ],
  [
    "too many endpoints want it",
    { arrivals: [anArrival({ decision: "refused" })], named: null },
    { verdict: "turned_away", notNamed: null },
    ["publish_again"],
  ],
  [
    "only a repeat of it is recorded",
    { arrivals: [anArrival({ decision: "duplicate" })], named: null },
    { verdict: "duplicate", notNamed: null },
    [],
  ],
  [
    "its deliveries are not recorded yet",
    {},
    { verdict: "under_way", sent: expect.objectContaining({ endpoints: 0 }) },
    [],
  ],
])("nobody has got it: %s", (_, facts, said, next) => {
  const found = explained(facts);

  expect(found).toMatchObject({ deliveries: [], ...said });
  expect(steps(found)).toEqual(next);
});

test.each([
  ["created later", NAMED, ownEndpoint({ createdAt: AT + 6 })],
  ["disabled then", { ...NAMED, disabled: ["ep_1"] }, ownEndpoint()],
])(
  "an endpoint that was %s, and was sent it by a backfill, asks for nothing more",
  (_, named, endpoint) => {
    const found = explained({
      ...NO_MATCH,
      named,
      deliveries: [aDelivery({ status: "delivered", replay_id: "rpl_1" })],
      endpoints: [endpoint],
    });

    expect(found.verdict).toBe("delivered");
    expect(found.notNamed?.endpoints).toEqual([]);
    expect(found.next).toEqual([]);
  },
);

test("an endpoint that got it beside one that did not", () => {
  const found = explained({
    named: { ...NAMED, sent: ["ep_1", "ep_2"] },
    deliveries: [
      aDelivery({ ...DEAD, dead_letter_reason: "exhausted" }),
      aDelivery({
        delivery_id: "dlv_2",
        endpoint_id: "ep_2",
        status: "delivered",
      }),
    ],
    endpoints: [ownEndpoint(), ownEndpoint({ id: "ep_2" })],
  });

  expect(found.verdict).toBe("partly_delivered");
  expect(found.sent).toMatchObject({ endpoints: 2, delivered: 1, givenUp: 1 });
});

test("a delivery that was given up and sent again by a replay counts once, and asks for nothing", () => {
  const found = explained({
    deliveries: [
      aDelivery({ ...DEAD, dead_letter_reason: "exhausted" }),
      aDelivery({
        delivery_id: "dlv_2",
        status: "delivered",
        replay_id: "rpl_1",
      }),
    ],
  });

  expect(found.verdict).toBe("delivered");
  expect(found.sent).toMatchObject({ endpoints: 1, deliveries: 2 });
  expect(found.deliveries).toMatchObject([
    { id: "dlv_1", isSentAgain: true },
    { id: "dlv_2", isSentAgain: false, replayId: "rpl_1" },
  ]);
  expect(found.next).toEqual([]);
});

test("arrivals: the one that counts, and the others; where each came from", () => {
  const found = explained({
    arrivals: [
      anArrival({ arrivals: 3 }),
      anArrival({
        decision: "duplicate",
        source_topic: "orders",
        source_offset: 9,
      }),
    ],
  });

  expect(found.arrival?.source).toEqual({
    kind: "events",
    topic: "postrider.events",
    partition: 1,
    offset: 7,
  });
  expect(found.arrivals).toMatchObject({
    count: 3,
    others: [
      {
        decision: "duplicate",
        source: { kind: "configured_source", offset: 9 },
      },
    ],
  });
});

test("a dead letter of another record with the same id is not that of an event that was accepted", () => {
  const letter = aLetter({ delivery_id: "", reason: "invalid" });
  const invalid = anArrival({ decision: "invalid" });

  const accepted = explained({
    arrivals: [anArrival({ arrivals: 2 }), invalid],
    letters: [letter],
  });
  const turnedAway = explained({
    arrivals: [invalid],
    named: null,
    letters: [letter],
  });

  expect(accepted.deadLetter).toBe(null);
  expect(turnedAway.deadLetter).toMatchObject({ reason: "invalid" });
});

test.each([
  ["breaker_open", false],
  ["rate_limited", false],
  ["retry_after", false],
  ["lane_slow", false],
  ["not_before", true],
  ["endpoint_unknown", true],
])(
  "whether an hour after the first deferral for %s something is overdue: %s",
  (deferral_reason, isOverdue) => {
    const found = explained({
      deliveries: [aDelivery()],
      attempts: [
        { ...DEFERRED, deferral_reason, next_attempt_at: NOW - 3_600_000 },
      ],
    });

    expect(found.deliveries).toMatchObject([{ isOverdue }]);
  },
);

test("an event with a destination of its own was meant for no other endpoint", () => {
  const found = explained({ named: { ...NAMED, sent: ["inline_1"] } });

  expect(found.notNamed).toBe(null);
});

test("of many endpoints the first ten are shown, those that want the event now first; all are counted", () => {
  const endpoints = Array.from({ length: 30 }, (_, n) =>
    ownEndpoint({
      id: `ep_${n}`,
      eventTypes: n === 29 ? ["order.*"] : ["other"],
      updatedAt: AT + 6,
    }),
  );

  const { notNamed, disabled } = explained({
    ...NO_MATCH,
    named: {
      ...NAMED,
      disabled: Array.from({ length: 12 }, (_, n) => `ep_${n}`),
    },
    endpoints,
  });

  expect(notNamed?.byReason).toEqual({
    event_types: 17,
    created_later: 0,
    changed_later: 1,
    not_read_yet: 0,
  });
  expect(notNamed?.endpoints).toHaveLength(10);
  expect(notNamed?.endpoints[0]).toMatchObject({ id: "ep_29" });
  expect(disabled).toMatchObject({ count: 12 });
  expect(disabled.endpoints).toHaveLength(10);
});

test("where there are more deliveries than are read, the counts are those of all", () => {
  const counts = {
    deliveries: 9_000,
    delivered: 8_000,
    waiting: 1_000,
    parked: 0,
    givenUp: 0,
  };

  const found = explained({
    deliveries: [aDelivery()],
    counts,
    truncated: true,
  });

  expect(found.verdict).toBe("partly_delivered");
  expect(found.sent).toEqual({ endpoints: 9_000, ...counts });
});
