/** How deliver uses its breakers: what is emitted, logged and counted. When a breaker opens and closes is tested beside breaker.ts. */
import { expect, test } from "@jest/globals";
import type { Delivery, Signal } from "@postrider/core";
import type { OutRecord } from "@postrider/messaging";
import { anInlineDestination, BUILT_AT } from "@postrider/testkit";
import {
  answered,
  aStage,
  attemptOf,
  deadLetterOf,
  deliveryOf,
  failedBy,
  registered,
  sealed,
  SECRET,
  topicsOf,
} from "../../fixtures/deliver-stage.ts";
import type { AttemptResult, SendResult } from "../send/attempt-result.ts";

const signalsOf = (records: readonly OutRecord[]): Signal[] =>
  records
    .filter(({ topic }) => topic === "signals")
    .map(({ value }) => value as Signal);

/** A stage whose endpoint's breaker has just opened at ten answers of 503; then the endpoint answers `results`. */
async function opened(...results: (SendResult | Promise<SendResult>)[]) {
  const down = Array.from({ length: 10 }, () => answered(503));
  const staged = aStage([registered({ version: 7 })], [...down, ...results]);
  let ids = 0;
  const next = (fields: Partial<Delivery> = {}) =>
    staged.run(staged.record({ deliveryId: `dlv_${(ids += 1)}`, ...fields }));
  let last: OutRecord[] = [];
  for (let n = 0; n < 10; n += 1) last = await next();
  return { ...staged, next, last };
}

test("an open breaker defers what comes, with its reason and slot, and spends no attempt", async () => {
  const { next, requests } = await opened();

  const records = await next({ attemptNumber: 3, step: 2 });

  expect(requests).toHaveLength(10);
  expect(topicsOf(records)).toEqual(["attempts", "retry.4s"]);
  expect(deliveryOf(records)).toMatchObject({
    attemptNumber: 3,
    step: 3,
    deferralReason: "breaker_open",
    slotAt: BUILT_AT + 5_000,
    nextAttemptAt: BUILT_AT + 5_000,
  });
  expect(attemptOf(records)).toMatchObject({
    attemptNumber: 0,
    outcome: null,
    status: "failed",
    disposition: "defer",
    deferralReason: "breaker_open",
    nextAttemptAt: BUILT_AT + 5_000,
  });
});

test("a wait for a breaker counts as age, so that the deliveries of an endpoint that is dead for good end", async () => {
  const { next, clock } = await opened();
  const waiting = deliveryOf(await next());
  clock.advance(120 * 3_600_000);

  const letter = deadLetterOf(await next({ ...waiting }));

  expect(waiting.deferredMs).toBe(0);
  expect(letter).toMatchObject({
    reason: "expired",
    detail:
      "its age is used up; it waited for the endpoint's circuit breaker, which was open",
  });
});

test("opening and closing each make one signal, one log line and a count; opening again makes no signal", async () => {
  const { next, last, clock, effects } = await opened(
    answered(500),
    answered(200),
  );
  for (let n = 0; n < 4; n += 1) await next();
  clock.advance(5_000);
  const reopened = await next();
  for (let n = 0; n < 4; n += 1) await next();
  clock.advance(10_000);
  const closed = [await next(), await next(), await next()].flat();

  expect(signalsOf(last)).toEqual([
    {
      kind: "breaker_opened",
      endpointId: "ep_1",
      tenantId: "acme",
      endpointVersion: 7,
      at: BUILT_AT,
      detail:
        "10 attempts in a row failed, the last with http_error 503; open for 5 s",
      deliveryId: "dlv_10",
    },
  ]);
  expect(signalsOf(reopened)).toEqual([]);
  expect(signalsOf(closed)).toMatchObject([
    { kind: "breaker_closed", endpointId: "ep_1", endpointVersion: 7 },
  ]);
  const { log, meter } = effects;
  expect(log.of("breaker.opened")).toMatchObject([
    { level: "warn", fields: { endpointId: "ep_1", statusCode: 503 } },
  ]);
  expect(log.of("breaker.reopened")).toMatchObject([
    { fields: { openMs: 7_500, statusCode: 500 } },
  ]);
  expect(log.of("breaker.closed")).toHaveLength(1);
  const page = await meter.render();
  for (const line of [
    'postrider_breakers_opened_total{service="test"} 1',
    'postrider_breakers_reopened_total{service="test"} 1',
    'postrider_breakers_closed_total{service="test"} 1',
    'postrider_breakers{state="open",service="test"} 0',
    'postrider_breakers{state="half_open",service="test"} 0',
    'postrider_deliveries_deferred_total{reason="breaker_open",service="test"} 8',
  ])
    expect(page.split("\n")).toContain(line);
});

test("an open breaker gives its lane any room, three probes as much as the endpoint allows, probes under way none, and a closed one two", async () => {
  const answers = Array.from({ length: 3 }, () =>
    Promise.withResolvers<SendResult>(),
  );
  const { stage, next, clock, table } = await opened(
    ...answers.map(({ promise }) => promise),
  );
  table.set("ep_1", registered({ version: 7, maxConcurrency: 8 }));
  for (let n = 0; n < 4; n += 1) await next();
  const rooms = [stage.laneConcurrency("ep_1")];
  const see = () => rooms.push(stage.laneConcurrency("ep_1"));
  clock.advance(5_000);
  see();
  const probes = [next(), next(), next()];
  see();
  for (const [n, answer] of answers.entries()) {
    answer.resolve(answered(200));
    await probes[n];
    see();
  }

  expect(rooms).toEqual([Infinity, 8, 0, 0, 0, 2]);
});

test("a hold gives the lane any room too: all of it is deferred, whatever is under way", async () => {
  const { stage, run, record, clock } = aStage(
    [registered()],
    [answered(429, { retryAfter: "30" })],
  );
  await run(record());

  expect(stage.laneConcurrency("ep_1")).toBe(Infinity);
  clock.advance(30_000);
  expect(stage.laneConcurrency("ep_1")).toBe(2);
});

test("what is deferred is not signed", async () => {
  const { next, clock, table, effects } = await opened(answered(200));
  table.set("ep_1", registered({ secrets: [sealed(SECRET, "ep_2")] }));

  const waits = await next();
  clock.advance(5_000);
  const unsigned = await next();

  expect(deliveryOf(waits).deferralReason).toBe("breaker_open");
  expect(deliveryOf(unsigned).deferralReason).toBe("secret_unavailable");
  expect(effects.log.of("secret.unavailable")).toHaveLength(1);
});

test("the gauge is right when it is read, also when no delivery has come for a quarter of an hour", async () => {
  const { clock, effects } = await opened();
  const openOnes = async () =>
    /^postrider_breakers\{state="open",.*\} (.*)$/m.exec(
      await effects.meter.render(),
    )?.[1];
  const before = await openOnes();
  clock.advance(15 * 60_000 + 1);

  expect([before, await openOnes()]).toEqual(["1", "0"]);
});

test("a lane whose deliveries are all deferred stands in no line for slots, even if its endpoint is suspect", async () => {
  const silent = Array.from({ length: 5 }, () => failedBy("timeout"));
  const { stage, run, record, clock } = aStage([registered()], silent);
  for (let step = 0; step < 5; step += 1) await run(record({ step }));

  expect(stage.laneStanding?.("ep_1")).toBe("proven");
  clock.advance(5_000);

  expect(stage.laneStanding?.("ep_1")).toBe("suspect");
});

test("a probe for which this process has no socket is not counted: the next delivery is a probe", async () => {
  const fault = {
    kind: "local_fault",
    errorCode: "EMFILE",
    error: "",
  } as const;
  const { next, clock, requests } = await opened(
    fault,
    fault,
    fault,
    answered(200),
  );
  clock.advance(5_000);

  const reasons = [await next(), await next(), await next()].map(
    (records) => deliveryOf(records).deferralReason,
  );
  const probe = await next();

  expect(reasons).toEqual(["local_fault", "local_fault", "local_fault"]);
  expect(attemptOf(probe)).toMatchObject({ outcome: "delivered" });
  expect(requests).toHaveLength(14);
});

test("a delivery that cannot be signed waits for its secret and takes no probe's place", async () => {
  const { next, clock, table } = await opened(answered(200));
  clock.advance(5_000);
  table.set("ep_1", registered({ secrets: [sealed(SECRET, "ep_2")] }));
  for (let n = 0; n < 5; n += 1)
    expect(deliveryOf(await next()).deferralReason).toBe("secret_unavailable");
  table.set("ep_1", registered());

  const probes = [await next(), await next(), await next()];

  expect(probes.map(topicsOf)).toEqual([
    ["attempts", "signals"],
    ["attempts"],
    ["attempts"],
  ]);
});

test.each<[string, AttemptResult]>([
  ["a 410", answered(410)],
  ["a 404", answered(404)],
  ["a blocked address", failedBy("blocked")],
])("%s opens no breaker, however often it comes", async (_what, result) => {
  const { run, record, requests, clock } = aStage([registered()], [result]);

  for (let step = 0; step < 30; step += 1) {
    clock.advance(1_000);
    await run(record({ step }));
  }

  expect(requests).toHaveLength(result.statusCode === 410 ? 1 : 30);
});

test("inline destinations of one origin share a breaker, and its signal names no version", async () => {
  const inline = anInlineDestination({ secrets: [sealed("s", "inline_1")] });
  const { run, record } = aStage([], [failedBy("connection_refused")]);
  const next = (n: number) =>
    run(record({ endpointId: "inline_1", inline, deliveryId: `dlv_${n}` }));
  for (let n = 0; n < 4; n += 1) await next(n);

  expect(signalsOf(await next(4))).toMatchObject([
    { kind: "breaker_opened", endpointId: "inline_1", endpointVersion: 0 },
  ]);
  expect(deliveryOf(await next(5)).deferralReason).toBe("breaker_open");
});

test("a delivery that comes back from another process's open breaker is a probe here", async () => {
  const { run, record, requests } = aStage([registered()], [answered(500)]);
  const deferralReason = "breaker_open";
  const next = (n: number) =>
    run(record({ deliveryId: `dlv_${n}`, deferralReason, step: 4 }));

  const all = await Promise.all(Array.from({ length: 6 }, (_, n) => next(n)));

  expect(requests).toHaveLength(3);
  expect(all.flatMap(signalsOf)).toEqual([]);
  // The row of the first deferral was written by the other process.
  expect(all.slice(3).map(topicsOf)).toEqual([
    ["retry.2s"],
    ["retry.2s"],
    ["retry.2s"],
  ]);
});

test("Retry-After on a 429 or 503 holds the endpoint's other deliveries, and they start again two at a time", async () => {
  const results = [
    ...Array.from({ length: 5 }, () => answered(200)),
    answered(429, { retryAfter: "30" }),
    answered(200),
  ];
  const { stage, run, record, clock, requests } = aStage(
    [registered()],
    results,
  );
  for (let step = 0; step < 6; step += 1) await run(record({ step }));

  const held = await run(record({ deliveryId: "dlv_2" }));
  clock.advance(30_000);
  const after = await run(record(deliveryOf(held)));

  expect(attemptOf(held)).toMatchObject({
    attemptNumber: 0,
    deferralReason: "retry_after",
  });
  const waitMs = deliveryOf(held).nextAttemptAt! - BUILT_AT;
  expect(waitMs).toBeGreaterThanOrEqual(30_000);
  expect(waitMs).toBeLessThanOrEqual(31_000);
  expect(stage.laneConcurrency("ep_1")).toBe(3);
  expect(attemptOf(after)).toMatchObject({ outcome: "delivered" });
  expect(requests).toHaveLength(7);
});

test("Retry-After of a day holds the lane for five minutes, and the delivery that was told so for the day", async () => {
  const { run, record } = aStage(
    [registered()],
    [answered(503, { retryAfter: "86400" })],
  );

  const told = deliveryOf(await run(record()));
  const held = deliveryOf(await run(record({ deliveryId: "dlv_2" })));

  expect(told.nextAttemptAt! - BUILT_AT).toBeGreaterThanOrEqual(86_400_000);
  expect(held.nextAttemptAt! - BUILT_AT).toBeLessThanOrEqual(301_000);
});
