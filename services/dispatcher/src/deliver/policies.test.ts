/** What an endpoint's or an inline destination's policy makes of a delivery. */
import { describe, expect, test } from "@jest/globals";
import type { Delivery, Endpoint, InlineDestination } from "@postrider/core";
import { anInlineDestination, BUILT_AT } from "@postrider/testkit";
import {
  answered,
  aStage,
  deadLetterOf,
  deliveryOf,
  registered,
  sealed,
  topicsOf,
} from "../../fixtures/deliver-stage.ts";
import type { AttemptResult } from "../send/attempt-result.ts";

const HOUR = 3_600_000;

type Policy = Partial<
  Pick<
    InlineDestination,
    "retryDelaysMs" | "maxAttempts" | "maxAgeMs" | "notRetryableStatuses"
  >
>;

/** A delivery under the policy, to a registered endpoint or to an inline destination. */
const KINDS = {
  registered: (policy: Policy, results: AttemptResult[]) =>
    aStage([registered(policy as Partial<Endpoint>)], results), // the same names in both records
  inline(policy: Policy, results: AttemptResult[]) {
    const endpointId = "inline_1";
    const secrets = [sealed("s", endpointId)];
    const inline = anInlineDestination({ secrets, ...policy });
    const stage = aStage([], results);
    const record = (fields: Partial<Delivery> = {}) =>
      stage.record({ endpointId, inline, ...fields });
    return { ...stage, record };
  },
};
const kinds = ["registered", "inline"] as const;

describe.each(kinds)("%s:", (kind) => {
  const aDeliveryUnder = KINDS[kind];

  test("each failed attempt waits as long as its list says, and a fifth more at most", async () => {
    const retryDelaysMs = [7_000, HOUR];
    const { run, record, clock } = aDeliveryUnder(
      { retryDelaysMs, maxAttempts: 3 },
      [answered(500)],
    );

    const second = deliveryOf(await run(record()));
    clock.setNow(second.nextAttemptAt!);
    const startedAt = clock.now();
    const third = deliveryOf(await run(record(second)));
    clock.setNow(third.nextAttemptAt!);
    const records = await run(record(third));

    const waits = [second.nextAttemptAt! - BUILT_AT];
    waits.push(third.nextAttemptAt! - startedAt);
    for (const [at, delayMs] of retryDelaysMs.entries()) {
      expect(waits[at]).toBeGreaterThanOrEqual(delayMs);
      expect(waits[at]).toBeLessThanOrEqual(delayMs * 1.2 + 1_000);
    }
    expect(deadLetterOf(records)).toMatchObject({
      reason: "exhausted",
      attempts: 3,
      detail: "the endpoint answered 500; attempt 3 was the last",
    });
  });

  test("a test is attempted once, whatever its endpoint's policy", async () => {
    const { run, record } = aDeliveryUnder(
      { retryDelaysMs: [HOUR], maxAttempts: 5 },
      [answered(500)],
    );

    // Its next attempt would be too late besides: that is not why there is none.
    const records = await run(
      record({ trigger: "test", expiresAt: BUILT_AT + 300_000 }),
    );

    expect(topicsOf(records)).not.toContain("deliveries");
    expect(deadLetterOf(records)).toMatchObject({
      reason: "exhausted",
      attempts: 1,
      detail: "the endpoint answered 500; a test is attempted once",
    });
  });

  test("a status that is not retried ends the delivery at its first attempt, another does not", async () => {
    const policy = { notRetryableStatuses: [422] };
    const refused = aDeliveryUnder(policy, [answered(422)]);
    const other = aDeliveryUnder(policy, [answered(400)]);

    const records = await refused.run(refused.record());

    expect(deadLetterOf(records)).toMatchObject({
      reason: "exhausted",
      attempts: 1,
      lastStatusCode: 422,
      detail: "the endpoint answered 422; this status is not retried",
    });
    expect(topicsOf(await other.run(other.record()))).toEqual([
      "attempts",
      "retry.1s",
    ]);
  });

  test("Retry-After lengthens a wait, up to 24 h", async () => {
    for (const [retryAfter, waitMs] of [
      ["60", 60_000],
      ["86400", 24 * HOUR],
      ["315360000", 24 * HOUR],
      ["Wed, 01 Jan 2098 00:00:00 GMT", 24 * HOUR],
    ] as const) {
      const { run, record } = aDeliveryUnder({}, [
        answered(503, { retryAfter }),
      ]);
      const retry = deliveryOf(await run(record()));

      const waitsMs = retry.nextAttemptAt! - BUILT_AT;
      expect(waitsMs).toBeGreaterThanOrEqual(waitMs);
      expect(waitsMs).toBeLessThanOrEqual(waitMs + 1_000);
    }
  });

  test("a retry that would come after the maximum age is not waited for", async () => {
    const policy = { retryDelaysMs: [60_000], maxAgeMs: 59_999 };
    const { run, record } = aDeliveryUnder(policy, [answered(500)]);

    const letter = deadLetterOf(await run(record()));

    expect(letter).toMatchObject({ reason: "expired", attempts: 1 });
    expect(letter.detail).toBe(
      "the endpoint answered 500; the next attempt would be after its maximum age",
    );
  });

  test("what is older than the maximum age is not sent, and time spent deferred does not make it older", async () => {
    const { run, record, clock, requests } = aDeliveryUnder(
      { maxAgeMs: 10_000 },
      [answered(200)],
    );
    clock.advance(10_001);

    const late = await run(record({ deliveryId: "dlv_late" }));
    const deferred = await run(record({ deferredMs: 1 }));

    expect(topicsOf(late)).toEqual(["dead-letters"]);
    expect(deadLetterOf(late)).toMatchObject({
      reason: "expired",
      attempts: 0,
      detail: "its age is used up",
    });
    expect(topicsOf(deferred)).toEqual(["attempts"]);
    expect(requests).toHaveLength(1);
  });

  test("notBefore is waited for, and the maximum age counts from it", async () => {
    const { run, record, clock, requests } = aDeliveryUnder(
      { maxAgeMs: 10_000 },
      [answered(200)],
    );
    const notBefore = BUILT_AT + 60_000;

    const waiting = deliveryOf(await run(record({ notBefore })));
    clock.setNow(notBefore + 10_000);
    const records = await run(record(waiting));

    expect(waiting).toMatchObject({
      attemptNumber: 1,
      deferralReason: "not_before",
    });
    expect(waiting.nextAttemptAt).toBeGreaterThanOrEqual(notBefore);
    expect(topicsOf(records)).toEqual(["attempts"]);
    expect(requests).toHaveLength(1);
  });

  test("after expiresAt nothing is sent, and no retry that would come after it is waited for", async () => {
    const { run, record, clock, requests } = aDeliveryUnder(
      { retryDelaysMs: [60_000] },
      [answered(500)],
    );
    const expiresAt = BUILT_AT + 30_000;

    const attempted = await run(record({ expiresAt }));
    clock.setNow(expiresAt + 1);
    const late = await run(record({ expiresAt, deliveryId: "dlv_late" }));

    expect(deadLetterOf(attempted)).toMatchObject({
      reason: "expired",
      attempts: 1,
      detail:
        "the endpoint answered 500; the next attempt would be after its expiresAt",
    });
    expect(deadLetterOf(late)).toMatchObject({
      reason: "expired",
      attempts: 0,
      detail: "expiresAt has passed",
    });
    expect(requests).toHaveLength(1);
  });
});

test("a registered endpoint's requests have its method, an inline destination's are POST", async () => {
  const put = aStage([registered({ method: "PUT" })]);
  const inline = KINDS.inline({}, [answered(200)]);

  await put.run(put.record());
  await inline.run(inline.record());

  expect(put.requests[0]?.method).toBe("PUT");
  expect(inline.requests[0]?.method).toBe("POST");
});

test("a policy or a URL that is changed while a retry waits decides about that retry", async () => {
  const { run, record, table, requests } = aStage(
    [
      registered({
        url: "https://old.example/hooks",
        retryDelaysMs: [1_000, 1_000],
      }),
    ],
    [answered(500)],
  );
  const waiting = deliveryOf(await run(record()));

  const changed = {
    url: "https://new.example:8443/moved?to=here",
    method: "PATCH",
    headers: { "x-team": "billing" },
  };
  table.set("ep_1", registered({ ...changed, version: 2, maxAttempts: 2 }));
  const records = await run(record(waiting));

  expect(
    requests.map(({ method, origin, path }) => [method, origin, path]),
  ).toEqual([
    ["POST", "https://old.example", "/hooks"],
    ["PATCH", "https://new.example:8443", "/moved?to=here"],
  ]);
  expect(requests[1]?.headers).toContain("billing");
  expect(deadLetterOf(records)).toMatchObject({
    reason: "exhausted",
    attempts: 2,
  });
});

test("a retry beyond an endpoint's new number of attempts is not sent; a redrive is", async () => {
  const { run, record, requests } = aStage([registered({ maxAttempts: 2 })]);

  const retry = await run(record({ attemptNumber: 3, trigger: "retry" }));
  const redrive = await run(
    record({ attemptNumber: 3, trigger: "redrive", deliveryId: "dlv_2" }),
  );

  expect(deadLetterOf(retry)).toMatchObject({
    reason: "exhausted",
    attempts: 2,
    detail: "the endpoint allows fewer attempts now: 2 in all",
  });
  expect(topicsOf(redrive)).toEqual(["attempts"]);
  expect(requests).toHaveLength(1);
});
