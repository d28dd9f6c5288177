import { expect, test } from "@jest/globals";
import {
  type AttemptResult,
  classifyStatus,
  DEFAULT_TIERS,
  dispose,
  lastStartAt,
  parseTiers,
  type RetryPolicy,
  statusAfter,
  statusGivenUp,
} from "./index.ts";

const HOUR = 3_600_000;
const delivery = {
  attemptNumber: 1,
  receivedAt: 1_000,
  notBefore: null,
  expiresAt: null,
  deferredMs: 0,
};

const policyOf = (
  schedule: readonly number[],
  over: Partial<RetryPolicy> = {},
): RetryPolicy => ({
  schedule,
  maxAgeMs: 72 * HOUR,
  notRetryableStatuses: [],
  ...over,
});

const failed = (over: Partial<AttemptResult> = {}): AttemptResult => ({
  delivery,
  outcome: "http_error",
  statusCode: 500,
  policy: policyOf([1_000, 4_000]),
  tiers: parseTiers("1s,2s,4s"),
  now: 10_000,
  random01: 0,
  ...over,
});

test.each([
  [200, "delivered"],
  [204, "delivered"],
  [299, "delivered"],
  [300, "redirect"],
  [308, "redirect"],
  [399, "redirect"],
  [400, "http_error"],
  [410, "http_error"],
  [503, "http_error"],
  [999, "http_error"],
  [101, "protocol_error"],
  [0, "protocol_error"],
])("status %d is %s", (statusCode, outcome) => {
  expect(classifyStatus(statusCode)).toBe(outcome);
});

test("a success is done", () => {
  expect(dispose(failed({ outcome: "delivered", statusCode: 200 }))).toEqual({
    kind: "done",
  });
});

test.each([
  ["http_error", 500],
  ["http_error", 400],
  ["http_error", 408],
  ["http_error", 429],
  ["redirect", 302],
  ["timeout", null],
  ["connection_refused", null],
  ["tls_error", null],
  ["dns_error", null],
  ["protocol_error", null],
  ["response_too_large", null],
] as const)("%s (%s) is tried again", (outcome, statusCode) => {
  expect(dispose(failed({ outcome, statusCode }))).toMatchObject({
    kind: "retry",
    nextAttemptAt: 11_000,
    tier: { name: "1s" },
  });
});

test.each([
  ["blocked", failed({ outcome: "blocked", statusCode: null })],
  ["gone", failed({ statusCode: 410 })],
  [
    "exhausted",
    failed({
      statusCode: 422,
      policy: policyOf([1_000], { notRetryableStatuses: [422] }),
    }),
  ],
  ["exhausted", failed({ delivery: { ...delivery, attemptNumber: 3 } })],
  ["exhausted", failed({ policy: policyOf([]) })],
  ["expired", failed({ delivery: { ...delivery, expiresAt: 10_999 } })],
  ["expired", failed({ now: 1_000 + 72 * HOUR })],
  [
    "expired",
    failed({
      retryAfterMs: 24 * HOUR,
      tiers: parseTiers("1h"),
      now: 60 * HOUR,
    }),
  ],
] as const)("a dead letter: %s (%#)", (reason, result) => {
  expect(dispose(result)).toEqual({ kind: "dead_letter", reason });
});

test("the next attempt comes after the wait as planned over the tiers", () => {
  const second = failed({
    delivery: { ...delivery, attemptNumber: 2 },
    tiers: parseTiers("1s,4100ms"),
  });

  expect(dispose(second)).toMatchObject({
    kind: "retry",
    nextAttemptAt: 14_100,
    tier: { name: "4100ms" },
  });
});

test("an attempt exactly when the event expires is still made", () => {
  const result = dispose(
    failed({ delivery: { ...delivery, expiresAt: 11_000 } }),
  );

  expect(result.kind).toBe("retry");
});

test.each([
  // the wait after the attempt, what the receiver asks for, the longest the retry may take
  [1_000, undefined, 1_000],
  [60_000, undefined, 60_250],
  [90_000, undefined, 91_000],
  [40 * 60_000, undefined, 40 * 60_000 + 1_000],
  [12 * HOUR, undefined, 12 * HOUR + 1_000],
  [1_000, 100_300, 101_300],
  [1_000, 62_000, 63_000],
  [1_000, 23.75 * HOUR, 23.75 * HOUR + 1_000],
])(
  "a retry after %d ms, Retry-After %d, is late by a second at most",
  (delayMs, retryAfterMs, longestMs) => {
    const result = dispose(
      failed({
        policy: policyOf([delayMs]),
        retryAfterMs,
        tiers: parseTiers(DEFAULT_TIERS),
        now: 0,
      }),
    );

    const { nextAttemptAt } = result as Extract<
      typeof result,
      { kind: "retry" }
    >;
    expect(nextAttemptAt).toBeGreaterThanOrEqual(
      Math.max(delayMs, retryAfterMs ?? 0),
    );
    expect(nextAttemptAt).toBeLessThanOrEqual(longestMs);
  },
);

test("rounding a wait up to a tier does not expire an event that would have been in time", () => {
  const result = dispose(
    failed({
      policy: policyOf([95_500]),
      delivery: { ...delivery, expiresAt: 95_700 },
      tiers: parseTiers(DEFAULT_TIERS),
      now: 0,
    }),
  );

  expect(result).toMatchObject({ kind: "retry" });
});

test("time spent deferred, and before notBefore, does not count as age", () => {
  const day = 24 * HOUR;

  expect(lastStartAt(delivery, day)).toBe(1_000 + day);
  expect(lastStartAt({ ...delivery, deferredMs: HOUR }, day)).toBe(
    1_000 + day + HOUR,
  );
  expect(lastStartAt({ ...delivery, notBefore: 5_000 }, day)).toBe(5_000 + day);
});

test("the publisher's expiresAt ends a delivery before its maximum age does, and never later", () => {
  const expiring = (expiresAt: number) =>
    lastStartAt({ ...delivery, expiresAt, deferredMs: 500 }, 10_000);

  expect(expiring(2_000)).toBe(2_000);
  expect(expiring(90_000)).toBe(11_500);
});

test.each([
  ["a wait of its schedule", failed({ policy: policyOf([5_000]) }), 13_999],
  ["a Retry-After", failed({ retryAfterMs: 5_000 }), 13_999],
])("%s that ends after the maximum age expires it at once", (_, at, ageMs) => {
  const within = (maxAgeMs: number) =>
    dispose({ ...at, policy: { ...at.policy, maxAgeMs } });

  expect(within(ageMs)).toEqual({ kind: "dead_letter", reason: "expired" });
  expect(within(ageMs + 1).kind).toBe("retry");
});

test("users see delivered, failed or expired; a parked delivery keeps its status", () => {
  expect(statusAfter({ kind: "done" })).toBe("delivered");
  expect(statusAfter({ kind: "retry", nextAttemptAt: 1, tier: null })).toBe(
    "failed",
  );
  expect(statusAfter({ kind: "dead_letter", reason: "gone" })).toBe("expired");
  expect(statusGivenUp({ attemptNumber: 1 }, "paused")).toBe("pending");
  expect(statusGivenUp({ attemptNumber: 2 }, "paused")).toBe("failed");
  expect(statusGivenUp({ attemptNumber: 2 }, "endpoint_deleted")).toBe(
    "expired",
  );
});
