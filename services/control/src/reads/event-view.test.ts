import { expect, test } from "@jest/globals";
import {
  eventViewOf,
  type AttemptRow,
  type CountedDeliveryRow,
  type EventRow,
} from "./event-view.ts";

const AT = Date.UTC(2026, 10, 23, 12);

function anEventRow(row: Partial<EventRow> = {}): EventRow {
  return {
    tenant_id: "acme",
    event_id: "evt-1",
    event_type: "order.paid",
    occurred_at: null,
    received_at: AT,
    decision: "routed",
    reason: "",
    ...row,
  };
}

function aDeliveryRow(
  row: Partial<CountedDeliveryRow> = {},
): CountedDeliveryRow {
  return {
    delivery_id: "dlv_1",
    endpoint_id: "ep_1",
    status: "failed",
    next_attempt_at: null,
    attempts: 0,
    dead_letter_reason: "",
    version: 1,
    ...row,
  };
}

function anAttemptRow(row: Partial<AttemptRow> = {}): AttemptRow {
  return {
    delivery_id: "dlv_1",
    attempt_number: 1,
    step: 0,
    started_at: AT + 10,
    outcome: "http_error",
    status_code: 500,
    duration_ms: 12,
    trigger: "first",
    error: "",
    next_attempt_at: AT + 1000,
    deferral_reason: "",
    status: "failed",
    dead_letter_reason: "",
    ...row,
  };
}

function viewOf(rows: {
  events?: [EventRow, ...EventRow[]];
  deliveries?: CountedDeliveryRow[];
  attempts?: AttemptRow[];
}) {
  return eventViewOf({
    events: rows.events ?? [anEventRow()],
    deliveries: rows.deliveries ?? [],
    attempts: rows.attempts ?? [],
    truncated: false,
  });
}

test("an event shows its decision, and times as RFC 3339", () => {
  expect(viewOf({ events: [anEventRow({ occurred_at: AT - 5 })] })).toEqual({
    id: "evt-1",
    type: "order.paid",
    tenantId: "acme",
    occurredAt: "2026-11-23T11:59:59.995Z",
    receivedAt: "2026-11-23T12:00:00.000Z",
    decision: "routed",
    reason: null,
    deliveries: [],
    truncated: false,
  });
});

test("a duplicate never hides the event it repeats", () => {
  const duplicate = anEventRow({ decision: "duplicate", received_at: AT - 1 });

  expect(viewOf({ events: [duplicate, anEventRow()] }).decision).toBe("routed");
});

test("attempts are in order; deferrals are left out but set the time of the next attempt", () => {
  const view = viewOf({
    deliveries: [aDeliveryRow({ next_attempt_at: AT + 1000 })],
    attempts: [
      anAttemptRow({
        attempt_number: 0,
        step: 2,
        started_at: AT + 3000,
        outcome: "",
        next_attempt_at: AT + 9000,
        deferral_reason: "breaker_open",
      }),
      anAttemptRow({ attempt_number: 2, step: 1, started_at: AT + 2000 }),
      anAttemptRow(),
    ],
  });

  const [delivery] = view.deliveries;
  expect(delivery?.attempts.map((attempt) => attempt.attemptNumber)).toEqual([
    1, 2,
  ]);
  expect(delivery).toMatchObject({
    nextAttemptAt: "2026-11-23T12:00:09.000Z",
    deferralReason: "breaker_open",
  });
});

test.each([
  [{ status: "delivered", next_attempt_at: AT }],
  [{ status: "expired", next_attempt_at: AT, dead_letter_reason: "exhausted" }],
  [{ status: "failed", next_attempt_at: AT, dead_letter_reason: "paused" }],
])("a delivery %j has no next attempt, and does not wait", (row) => {
  const [delivery] = viewOf({
    deliveries: [aDeliveryRow(row)],
    attempts: [
      anAttemptRow({
        attempt_number: 0,
        outcome: "",
        status: "pending",
        deferral_reason: "breaker_open",
      }),
    ],
  }).deliveries;

  expect(delivery).toMatchObject({ nextAttemptAt: null, deferralReason: null });
});

test("a deferral that an attempt has followed is no reason to wait any more", () => {
  const [delivery] = viewOf({
    deliveries: [aDeliveryRow()],
    attempts: [
      anAttemptRow({ attempt_number: 0, deferral_reason: "rate_limited" }),
      anAttemptRow({ step: 1 }),
    ],
  }).deliveries;

  expect(delivery?.deferralReason).toBeNull();
});

test("a delivery that arrived twice shows its newest version", () => {
  const view = viewOf({
    deliveries: [
      aDeliveryRow({ version: 3 << 16, status: "delivered" }),
      aDeliveryRow({ version: 0, status: "pending" }),
    ],
  });

  expect(view.deliveries.map((delivery) => delivery.status)).toEqual([
    "delivered",
  ]);
});

test.each([
  [{ status: "delivered" }, "delivered", null, null],
  [{ status: "failed" }, "failed", null, "2026-11-23T12:00:01.000Z"],
  [
    { status: "expired", dead_letter_reason: "exhausted" },
    "expired",
    "exhausted",
    null,
  ],
])(
  "a delivery whose attempt is seen before it says so itself stands as the attempt says: %j",
  (attempt, status, deadLetterReason, nextAttemptAt) => {
    const pending = aDeliveryRow({ status: "pending", version: 0 });

    const view = viewOf({
      deliveries: [pending],
      attempts: [anAttemptRow(attempt)],
    });

    expect(view.deliveries).toMatchObject([
      { status, deadLetterReason, nextAttemptAt },
    ]);
  },
);

test("a deferral after a failure that is seen before its delivery says so takes it out of parking", () => {
  const parked = aDeliveryRow({
    dead_letter_reason: "paused",
    version: 65_536 + 2 * 1 + 1,
  });

  const view = viewOf({
    deliveries: [parked],
    attempts: [
      anAttemptRow(),
      anAttemptRow({
        attempt_number: 0,
        step: 2,
        outcome: "",
        next_attempt_at: AT + 9000,
        deferral_reason: "breaker_open",
      }),
    ],
  });

  expect(view.deliveries).toMatchObject([
    {
      status: "failed",
      deadLetterReason: null,
      deferralReason: "breaker_open",
      nextAttemptAt: "2026-11-23T12:00:09.000Z",
    },
  ]);
});

test("a deferral never undoes the attempt or the parking of its own step", () => {
  const parked = aDeliveryRow({
    dead_letter_reason: "paused",
    version: 65_536 + 2 * 2 + 1,
  });
  const deferral = anAttemptRow({ attempt_number: 0, step: 2, outcome: "" });

  const view = viewOf({ deliveries: [parked], attempts: [deferral] });

  expect(view.deliveries).toMatchObject([
    { deadLetterReason: "paused", nextAttemptAt: null },
  ]);
});

test("an attempt that was repeated after a crash never undoes what a later one decided", () => {
  const delivered = aDeliveryRow({
    status: "delivered",
    version: 3 * 65_536 + 3,
  });

  const view = viewOf({
    deliveries: [delivered],
    attempts: [
      anAttemptRow({ step: 1, attempt_number: 2, status: "delivered" }),
      anAttemptRow({ step: 5, attempt_number: 3, status: "failed" }),
    ],
  });

  expect(view.deliveries[0]?.status).toBe("delivered");
});

test.each([
  ["its attempts are recorded after its dead letter", 3, 1, 3],
  ["its row is older than its attempts", 0, 2, 2],
] as const)(
  "a delivery tells how many attempts were made, also where %s",
  (_, attempts, seen, made) => {
    const { deliveries } = viewOf({
      deliveries: [aDeliveryRow({ attempts })],
      attempts: [anAttemptRow({ attempt_number: seen })],
    });

    expect(deliveries[0]?.attemptCount).toBe(made);
  },
);
