import { expect, test } from "@jest/globals";
import { aDeadLetter, anAttempt, anIntake, BUILT_AT } from "./builders.ts";
import {
  checkInvariants,
  INVARIANTS,
  type Evidence,
  type Invariant,
} from "./invariant-checker.ts";
import type { PublishedEntry, ReceivedEntry } from "./ledger.ts";

const ids = {
  tenantId: "acme",
  eventId: "evt_1",
  deliveryId: "dlv_1",
  webhookId: "msg_1",
};
const published: PublishedEntry = {
  kind: "published",
  tenantId: "acme",
  eventId: "evt_1",
  bodyHash: "h",
  at: BUILT_AT,
  monotonicMs: 0,
};
const received: ReceivedEntry = {
  kind: "received",
  webhookId: "msg_1",
  webhookTimestamp: "1",
  bodyHash: "h",
  at: BUILT_AT,
  monotonicMs: 0,
};
const failed = anAttempt({
  ...ids,
  attemptNumber: 1,
  step: 0,
  startedAt: BUILT_AT,
  outcome: "http_error",
  nextAttemptAt: BUILT_AT + 1000,
});
const delivered = anAttempt({
  ...ids,
  attemptNumber: 2,
  step: 1,
  startedAt: BUILT_AT + 1000,
  outcome: "delivered",
  nextAttemptAt: null,
});
const routed = anIntake({
  ...ids,
  decision: "routed",
  deliveries: [{ deliveryId: "dlv_1", endpointId: "ep_1" }],
  part: 0,
  parts: 1,
});

/** A run in which one event failed once and was then delivered; rows as many as records, unless a test plants otherwise. */
function evidence(planted: Partial<Evidence> = {}): Evidence {
  const attempts = planted.attempts ?? [failed, delivered];
  return {
    published: [published],
    received: [received, received],
    attempts,
    deadLetters: [],
    intake: [routed],
    clickhouse: {
      attemptRows: attempts.length,
      attemptPlaces: attempts.length,
      rolledUpAttempts: attempts.filter((a) => a.attemptNumber > 0).length,
    },
    lag: 0,
    repeatsAllowed: 0,
    ...planted,
  };
}

const rows = { attemptRows: 2, attemptPlaces: 2, rolledUpAttempts: 2 };

const planted: readonly [string, Invariant, Partial<Evidence>][] = [
  ["an event that left no trace", "lost", { intake: [] }],
  [
    "a delivery that never ended",
    "lost",
    { attempts: [failed], received: [received] },
  ],
  [
    "a missing part of an intake",
    "lost",
    { intake: [{ ...routed, parts: 2 }] },
  ],
  [
    "a request that no attempt says",
    "unknown_request",
    { received: [received, received, { ...received, webhookId: "msg_2" }] },
  ],
  ["a success that no receiver saw", "unseen_delivery", { received: [] }],
  [
    "a request more than the faults explain",
    "repeats",
    { received: [received, received, received] },
  ],
  [
    "two chains, step by step",
    "fork",
    { attempts: [failed, failed, delivered, delivered] },
  ],
  [
    "an attempt number at two steps",
    "fork",
    { attempts: [failed, delivered, { ...delivered, step: 2 }] },
  ],
  [
    "a skipped attempt number",
    "numbering",
    { attempts: [failed, { ...delivered, attemptNumber: 3 }] },
  ],
  [
    "a step that does not grow",
    "numbering",
    { attempts: [failed, { ...delivered, step: 0 }] },
  ],
  [
    "a retry a millisecond before it is due",
    "early",
    { attempts: [failed, { ...delivered, startedAt: BUILT_AT + 999 }] },
  ],
  [
    "another body",
    "bytes",
    { received: [received, { ...received, bodyHash: "x" }] },
  ],
  ["a lost row", "rows", { clickhouse: { ...rows, attemptRows: 1 } }],
  [
    "a doubled row that hides a lost one",
    "rows",
    { clickhouse: { ...rows, attemptPlaces: 1 } },
  ],
  [
    "a roll-up that counted twice",
    "roll_up",
    { clickhouse: { ...rows, rolledUpAttempts: 3 } },
  ],
  ["a record that nobody took", "lag", { lag: 1 }],
];

test.each(planted)("%s is caught as %s", (_what, invariant, plant) => {
  const violations = checkInvariants(evidence(plant));

  expect(violations.map((violation) => violation.invariant)).toEqual([
    invariant,
  ]);
});

test("every invariant has a planted violation", () => {
  expect(new Set(planted.map(([, invariant]) => invariant))).toEqual(
    new Set(INVARIANTS),
  );
});

const sound: readonly [string, Partial<Evidence>][] = [
  ["a delivery after a retry", {}],
  [
    "a repeat that a kill explains",
    {
      attempts: [failed, failed, delivered],
      received: [received, received, received],
      repeatsAllowed: 1,
    },
  ],
  [
    "a request whose attempt record a kill took, with its repeat",
    { received: [received, received, received], repeatsAllowed: 1 },
  ],
  [
    "a delivery that was given up",
    {
      attempts: [failed],
      received: [received],
      deadLetters: [aDeadLetter(ids)],
    },
  ],
  [
    "an event for nobody",
    {
      attempts: [],
      received: [],
      intake: [{ ...routed, decision: "no_match", deliveries: [] }],
    },
  ],
  [
    "a deferral, which spends no attempt",
    {
      attempts: [
        failed,
        anAttempt({ ...ids, attemptNumber: 0, step: 1, outcome: null }),
        { ...delivered, step: 2 },
      ],
    },
  ],
];

test.each(sound)("%s violates nothing", (_what, fields) => {
  expect(checkInvariants(evidence(fields))).toEqual([]);
});
