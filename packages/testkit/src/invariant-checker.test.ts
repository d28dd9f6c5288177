import { expect, test } from "@jest/globals";
import type { RollUpVerdict } from "@postrider/core";
import { aDeadLetter, anAttempt, anIntake, BUILT_AT } from "./builders.ts";
import type { Evidence, TableEvidence } from "./evidence.ts";
import {
  checkInvariants,
  INVARIANTS,
  type Invariant,
} from "./invariant-checker.ts";
import type { PublishedEntry, ReceivedEntry, RunnerEntry } from "./ledger.ts";

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
  webhookTimestamp: String(Math.floor(BUILT_AT / 1000)),
  bodyHash: "h",
  isSigned: true,
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

const HOURS = { day: "2026-01-01", table: "endpoint_hour" } as const;
const NOTHING = { buckets: 0, by: {} };

/** What a roll-up that is not equal is said to be. */
function differing(
  planted: Partial<Extract<RollUpVerdict, { kind: "differs" }>>,
): Pick<Evidence, "rollUps"> {
  const verdict = {
    kind: "differs",
    attempts: 2,
    counted: 2,
    short: NOTHING,
    over: NOTHING,
    ...planted,
  } as const;
  return { rollUps: [{ ...HOURS, verdict }] };
}

/** The evidence of a run in which one event failed once and was then delivered, with as many rows as records. `planted` replaces fields. */
function evidence(planted: Partial<Evidence> = {}): Evidence {
  const attempts = planted.attempts ?? [failed, delivered];
  return {
    published: [published],
    received: [received, received],
    attempts,
    deadLetters: [],
    intake: [routed],
    runner: [done(0), done(1)],
    interruptions: [],
    deliveries: [
      { ...place(0), ...ids, timestamp: BUILT_AT, step: 0 },
      { ...place(1), ...ids, timestamp: BUILT_AT + 1000, step: 1 },
    ],
    tables: [table(attempts.length)],
    rolledUp: {
      endpoint_hour: attempts.filter((a) => a.attemptNumber > 0).length,
    },
    rollUps: [{ ...HOURS, verdict: { kind: "equal", attempts: 2 } }],
    lag: 0,
    survivors: [],
    ...planted,
  };
}

function place(offset: number) {
  return { topic: "deliveries", partition: 0, offset };
}

function done(offset: number): RunnerEntry {
  const at = BUILT_AT + 10 + offset * 1000;
  return { kind: "completed", ...place(offset), pid: 1, at, monotonicMs: 0 };
}

/** A commit of everything below `offset`. */
function committed(offset: number): RunnerEntry {
  return { ...done(offset), kind: "committed", metadata: "" };
}

function table(count: number, planted: Partial<TableEvidence> = {}) {
  return {
    table: "attempts",
    records: count,
    recordKeys: count,
    rows: count,
    rowKeys: count,
    rowPlaces: count,
    ...planted,
  };
}

const figures = { heapBytes: 100, sockets: 5, timers: 5 };

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
    "a parked delivery that no resume sent again",
    "lost",
    {
      attempts: [failed],
      received: [received],
      deadLetters: [aDeadLetter({ ...ids, reason: "paused" })],
    },
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
    "a request that was sent only after the interruption, twice",
    "repeats",
    {
      received: [0, 5000, 5000].map((after) => ({
        ...received,
        at: BUILT_AT + after,
      })),
      runner: [done(0), { ...done(1), at: BUILT_AT + 5100 }],
      interruptions: [{ from: BUILT_AT + 1005, until: BUILT_AT + 1005 }],
    },
  ],
  [
    "two chains, step by step",
    "fork",
    {
      attempts: [
        failed,
        delivered,
        { ...delivered, worker: "other", startedAt: BUILT_AT + 1001 },
      ],
    },
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
    "a step that no deferral took",
    "numbering",
    { attempts: [failed, { ...delivered, step: 2 }] },
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
  [
    "a commit of what is not done",
    "passed_work",
    { runner: [done(0), committed(2)] },
  ],
  [
    "a record done again after its commit",
    "ignored_commit",
    { runner: [done(0), committed(1), done(0), done(1)] },
  ],
  [
    "a signature that does not fit",
    "bytes",
    { received: [received, { ...received, isSigned: false }] },
  ],
  [
    "a lost row",
    "rows",
    { tables: [table(2, { rows: 1, rowKeys: 1, rowPlaces: 1 })] },
  ],
  [
    "a doubled row that hides a lost one",
    "rows",
    { tables: [table(2, { rowPlaces: 1, rowKeys: 1 })] },
  ],
  [
    "a roll-up that counted twice",
    "roll_up",
    { rolledUp: { endpoint_hour: 3 } },
  ],
  [
    "a roll-up that lacks a success",
    "roll_up",
    differing({ short: { buckets: 1, by: { delivered: 1 } } }),
  ],
  [
    "a roll-up that lacks the longest attempt",
    "roll_up",
    differing({ short: { buckets: 1, by: {} } }),
  ],
  [
    "bytes that a roll-up counted twice",
    "roll_up",
    differing({ over: { buckets: 1, by: { request_bytes: 100 } } }),
  ],
  [
    "a roll-up that could not be compared",
    "roll_up",
    {
      rollUps: [{ ...HOURS, verdict: { kind: "notJudged", why: "an ALTER" } }],
    },
  ],
  [
    "a socket that stays",
    "resources",
    {
      survivors: [
        { name: "d", before: figures, after: { ...figures, sockets: 6 } },
      ],
    },
  ],
  [
    "a heap that grew by more than windows hold",
    "resources",
    {
      survivors: [
        { name: "d", before: figures, after: { ...figures, heapBytes: 5e6 } },
      ],
    },
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
    "a repeat that no commit prevented",
    {
      attempts: [
        failed,
        { ...failed, worker: "other", startedAt: BUILT_AT + 1 },
        delivered,
      ],
      received: [received, received, received],
      runner: [done(0), done(0), done(1)],
    },
  ],
  [
    "a request whose attempt record a kill took, with its repeat",
    {
      received: [received, received, received],
      interruptions: [{ from: BUILT_AT + 5, until: BUILT_AT + 5 }],
    },
  ],
  [
    "a repeat after two kills that both cut the same request off",
    {
      received: [received, received, received, received],
      interruptions: [
        { from: BUILT_AT + 5, until: BUILT_AT + 5 },
        { from: BUILT_AT + 6, until: BUILT_AT + 6 },
      ],
    },
  ],
  [
    "a retry of an attempt whose record a kill lost, before the repeated attempt's retry is due",
    {
      attempts: [failed, { ...delivered, startedAt: BUILT_AT + 999 }],
      received: [received, received, received],
      interruptions: [{ from: BUILT_AT, until: BUILT_AT + 500 }],
    },
  ],
  [
    "a batch of output that was sent again",
    {
      attempts: [failed, failed, delivered],
      tables: [table(3, { recordKeys: 2, rowKeys: 2 })],
      ...differing({
        over: {
          buckets: 1,
          by: { attempts: 1, request_bytes: failed.requestBytes },
        },
      }),
    },
  ],
  [
    "a commit that names what is open",
    { runner: [done(0), committed(1), done(1), committed(2)] },
  ],
  [
    "a heap that breathes",
    {
      survivors: [
        { name: "d", before: figures, after: { ...figures, heapBytes: 109 } },
      ],
    },
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
    "a delivery that was parked between two attempts",
    {
      attempts: [failed, { ...delivered, step: 2 }],
      deadLetters: [aDeadLetter({ ...ids, reason: "paused" })],
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
