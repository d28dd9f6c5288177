import { createHmac } from "node:crypto";
import { expect, test } from "@jest/globals";
import type { Delivery, Signal } from "@postrider/core";
import { anInlineDestination, BUILT_AT } from "@postrider/testkit";
import { Webhook } from "standardwebhooks";
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
import type { SendRequest } from "../send/sender.ts";

test("a 2xx makes one attempt that is delivered, and nothing follows", async () => {
  const remoteAddress = "192.0.2.7";
  const { run, record } = aStage(
    [registered()],
    [answered(200, { remoteAddress })],
  );

  const records = await run(record());

  expect(topicsOf(records)).toEqual(["attempts"]);
  expect(attemptOf(records)).toMatchObject({
    attemptNumber: 1,
    outcome: "delivered",
    status: "delivered",
    disposition: "done",
    remoteAddress,
    worker: "w1",
  });
});

test("the bytes that are sent are the payload's, signed so that standardwebhooks verifies them", async () => {
  const payload = Buffer.from('{"n":12345678901234567890,"a":1,"a":2}');
  const { run, record, requests } = aStage();

  await run(
    record({
      payload,
      traceparent: "00-aa-bb-01",
      headers: { "x-event": "1" },
    }),
  );

  const [request] = requests;
  expect(request?.body).toBe(payload);
  const headers = headersOf(request);
  expect(headers).toMatchObject({
    "user-agent": "Postrider/0.1.0",
    "content-type": "application/json",
    traceparent: "00-aa-bb-01",
    "x-event": "1",
    "webhook-timestamp": String(BUILT_AT / 1_000),
  });
  // standardwebhooks checks the timestamp's age against the machine's clock.
  const verifier = new Webhook(SECRET);
  const signature = verifier.sign(
    headers["webhook-id"] ?? "",
    new Date(BUILT_AT),
    payload.toString(),
  );
  expect(headers["webhook-signature"]).toBe(signature);
});

test("every unexpired secret signs, in order", async () => {
  const other = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
  const secrets = [
    sealed(SECRET, "ep_1"),
    sealed(other, "ep_1", "sec_2", BUILT_AT + 1),
    sealed("old", "ep_1", "sec_3", BUILT_AT),
  ];
  const { run, record, requests } = aStage([registered({ secrets })]);

  await run(record());

  expect(headersOf(requests[0])["webhook-signature"]?.split(" ")).toHaveLength(
    2,
  );
});

const ED25519 =
  "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==";
const hexOf = (secret: string, body: Uint8Array): string =>
  `sha256=${createHmac("sha256", secret).update(body).digest("hex")}`;

test("an endpoint with hmac-hex alone gets a hex signature over the body, and no Standard Webhooks one", async () => {
  const endpoint = registered({
    signing: ["hmac-hex"],
    secrets: [sealed("hush", "ep_1")],
    headers: { "X-Webhook-Signature": "forged" },
  });
  const { run, record, requests } = aStage([endpoint]);

  await run(record({ headers: { "x-webhook-signature": "forged, too" } }));

  const headers = headersOf(requests[0]);
  expect(headers["x-webhook-signature"]).toBe(
    hexOf("hush", requests[0]?.body ?? Buffer.alloc(0)),
  );
  expect(headers["webhook-signature"]).toBeUndefined();
  expect(headers["webhook-id"]).toMatch(/^msg_/);
  expect(headers["webhook-timestamp"]).toBe(String(BUILT_AT / 1_000));
});

test("during a rotation the standard header has a signature of each secret, and the hex header follows the oldest that can make one", async () => {
  const endpoint = registered({
    signing: ["standard", "hmac-hex"],
    secrets: [
      sealed(ED25519, "ep_1", "sec_0", BUILT_AT + 1),
      sealed("old", "ep_1", "sec_1", BUILT_AT + 1),
      sealed("new", "ep_1", "sec_2"),
    ],
  });
  const { run, record, requests, clock } = aStage([endpoint]);

  await run(record());
  clock.advance(1);
  await run(record({ deliveryId: "dlv_2" }));

  const [during, after] = requests.map(headersOf);
  const body = requests[0]?.body ?? Buffer.alloc(0);
  const versionsOf = (headers?: Record<string, string>) =>
    headers?.["webhook-signature"]?.split(" ").map((one) => one.split(",")[0]);
  expect(versionsOf(during)).toEqual(["v1a", "v1", "v1"]);
  expect(during?.["x-webhook-signature"]).toBe(hexOf("old", body));
  expect(versionsOf(after)).toEqual(["v1"]);
  expect(after?.["x-webhook-signature"]).toBe(hexOf("new", body));
});

test("without hmac-hex, x-webhook-signature is a header like any other", async () => {
  const { run, record, requests } = aStage();

  await run(record({ headers: { "x-webhook-signature": "theirs" } }));

  expect(headersOf(requests[0])["x-webhook-signature"]).toBe("theirs");
});

test.each([
  ["hmac-hex with an ed25519 key alone", ["standard", "hmac-hex"], ED25519],
  ["a profile of a later version", ["standard", "jws"], SECRET],
  ["no profile", [], SECRET],
])(
  "%s signs nothing: the delivery waits and nothing is sent",
  async (_, signing, secret) => {
    const secrets = [sealed(secret, "ep_1")];
    const { run, record, requests } = aStage([
      registered({ signing, secrets }),
    ]);

    const records = await run(record());

    expect(deliveryOf(records).deferralReason).toBe("secret_unavailable");
    expect(requests).toEqual([]);
  },
);

test("the endpoint's headers win over the event's, and reserved names are left out", async () => {
  const { run, record, requests } = aStage([
    registered({ headers: { "X-Shared": "endpoint", Host: "evil.example" } }),
  ]);

  await run(
    record({
      headers: { "x-shared": "event", "x-own": "1", "webhook-id": "forged" },
    }),
  );

  const flat = requests[0]?.headers ?? [];
  expect(flat.filter((_, at) => at % 2 === 0).join(" ")).toBe(
    "webhook-id webhook-timestamp webhook-signature user-agent content-type x-own X-Shared",
  );
});

test("a 500 goes to the tier of its wait with number and step raised, and the wait is jittered by its id", async () => {
  const { run, record } = aStage([registered()], [answered(500)]);

  const records = await run(record());
  const again = aStage([registered()], [answered(500)]);
  const twin = await again.run(again.record());

  expect(topicsOf(records)).toEqual(["attempts", "retry.1s"]);
  const retry = deliveryOf(records);
  expect(retry).toMatchObject({ attemptNumber: 2, step: 1, trigger: "retry" });
  const waitMs = (retry.nextAttemptAt ?? 0) - BUILT_AT;
  expect(waitMs).toBeGreaterThanOrEqual(1_000);
  expect(waitMs).toBeLessThanOrEqual(1_200);
  expect(attemptOf(records)).toMatchObject({
    status: "failed",
    disposition: "retry",
    tier: "1s",
    nextAttemptAt: retry.nextAttemptAt,
  });
  expect(deliveryOf(twin).nextAttemptAt).toBe(retry.nextAttemptAt);
});

test("Retry-After lengthens a wait, never shortens it, and garbage is ignored", async () => {
  const waitOf = async (retryAfter: string): Promise<number> => {
    const { run, record } = aStage(
      [registered()],
      [answered(503, { retryAfter })],
    );
    return (
      ((await run(record())).map(({ value }) => value).at(-1) as Delivery)
        .nextAttemptAt! - BUILT_AT
    );
  };

  expect(await waitOf("30")).toBeGreaterThanOrEqual(30_000);
  for (const ignored of ["0", "-5", "soon", ""])
    expect(await waitOf(ignored)).toBeLessThanOrEqual(1_200);
  expect(await waitOf("315360000")).toBeLessThanOrEqual(24 * 3_600_000 + 1_000);
});

test("the time from an event to its success is measured at the success alone", async () => {
  const { run, record, clock, effects } = aStage(
    [registered()],
    [answered(500), answered(200)],
  );

  await run(record());
  clock.advance(3_000);
  await run(record({ attemptNumber: 2, step: 1, nextAttemptAt: BUILT_AT }));

  const page = await effects.meter.render();
  expect(page).toMatch(/postrider_event_to_success_seconds_count\{.*\} 1$/m);
  expect(page).toMatch(/postrider_event_to_success_seconds_sum\{.*\} 3$/m);
});

test.each(["redrive", "replay", "retry"])(
  "a %s of a replay is late by nature: it is neither measured from its event nor a first attempt",
  async (trigger) => {
    const { run, record, effects } = aStage([registered()], [answered(200)]);

    await run(record({ trigger, replayId: "rpl_1" }));

    const page = await effects.meter.render();
    expect(page).toMatch(/postrider_event_to_success_seconds_count\{.*\} 0$/m);
    expect(page).toMatch(/postrider_attempts_total\{.*tier="replay".*\} 1$/m);
  },
);

test.each([
  [null, "route"],
  ["rpl_1", "replay"],
])(
  "what is given up is counted apart where a replay had sent it (replay %s)",
  async (replayId, sentBy) => {
    const { run, record, effects } = aStage([registered()], [answered(410)]);

    await run(record({ replayId }));

    expect(await effects.meter.render()).toMatch(
      new RegExp(
        `postrider_dead_letters_total\\{.*reason="gone",sent_by="${sentBy}".*\\} 1$`,
        "m",
      ),
    );
  },
);

test("attempts are counted by outcome and by the tier in which the delivery waited before", async () => {
  const { run, record, effects } = aStage(
    [registered()],
    [answered(500), failedBy("timeout"), answered(200)],
  );
  let next = record();
  for (const attemptNumber of [1, 2, 3]) {
    const records = await run(next);
    const { headers } = records.at(-1)!;
    const { raw, value } = record({
      attemptNumber: attemptNumber + 1,
      step: attemptNumber,
    });
    next = { raw: { ...raw, headers: headers ?? {} }, value };
  }

  const page = await effects.meter.render();
  const counted = [
    ...page.matchAll(
      /^postrider_attempts_total\{outcome="(\w+)",.*tier="(\w+)".*\} (\d)$/gm,
    ),
  ].map((match) => match.slice(1));
  expect(counted).toEqual([
    ["http_error", "none", "1"],
    ["timeout", "1s", "1"],
    ["delivered", "2s", "1"],
  ]);
});

test("used-up attempts become a dead letter that holds the delivery with its step raised", async () => {
  const inline = anInlineDestination({
    maxAttempts: 2,
    secrets: [sealed("s", "inline_1")],
  });
  const { run, record } = aStage([], [failedBy("timeout")]);

  const records = await run(
    record({ endpointId: "inline_1", inline, attemptNumber: 2, step: 3 }),
  );

  expect(topicsOf(records)).toEqual(["attempts", "dead-letters"]);
  expect(attemptOf(records)).toMatchObject({
    status: "expired",
    deadLetterReason: "exhausted",
  });
  expect(deadLetterOf(records)).toMatchObject({
    reason: "exhausted",
    attempts: 2,
    step: 3,
    lastOutcome: "timeout",
    lastStatusCode: null,
    recordTopic: "t.deliveries",
    delivery: { step: 4 },
  });
});

test("a 410 is a dead letter and a signal, and the endpoint counts as disabled at once until it changes", async () => {
  const { run, record, table, requests } = aStage(
    [registered({ version: 7 })],
    [answered(410)],
  );

  const records = await run(record());
  const next = await run(record({ deliveryId: "dlv_2" }));
  table.set("ep_1", registered({ version: 8 }));
  await run(record({ deliveryId: "dlv_3" }));

  expect(topicsOf(records)).toEqual(["attempts", "dead-letters", "signals"]);
  expect(deadLetterOf(records).reason).toBe("gone");
  expect(records.at(-1)?.value as Signal).toMatchObject({
    kind: "gone",
    endpointId: "ep_1",
    endpointVersion: 7,
  });
  expect(deadLetterOf(next).reason).toBe("endpoint_disabled");
  expect(requests).toHaveLength(2);
});

test("an inline destination that is gone makes a dead letter and no signal", async () => {
  const inline = anInlineDestination({ secrets: [sealed("s", "inline_1")] });
  const { run, record } = aStage([], [answered(410)]);

  expect(
    topicsOf(await run(record({ endpointId: "inline_1", inline }))),
  ).toEqual(["attempts", "dead-letters"]);
});

test("a blocked address is a dead letter at once", async () => {
  const { run, record, requests } = aStage([
    registered({ url: "https://169.254.169.254/latest" }),
  ]);

  const records = await run(record());

  expect(requests).toEqual([]);
  expect(attemptOf(records)).toMatchObject({
    outcome: "blocked",
    status: "expired",
  });
  expect(deadLetterOf(records)).toMatchObject({
    reason: "blocked",
    lastOutcome: "blocked",
  });
});

test("a repeated (deliveryId, step) is dropped, and the first is not a repeat of itself or of a later one", async () => {
  const { run, record, requests } = aStage();
  const first = record({}, 10);

  await run(first);
  expect(await run(record({}, 11))).toEqual([]);
  expect(topicsOf(await run(first))).toEqual(["attempts"]);
  expect(topicsOf(await run(record({ step: 1 }, 13)))).toEqual(["attempts"]);

  expect(requests).toHaveLength(3);
});

test("a twin is dropped though 20,000 other deliveries were read since the first", async () => {
  const { stage, run, record } = aStage();
  const twin = { deliveryId: "dlv_twin" };
  await run(record(twin));

  for (let n = 0; n < 20_001; n += 1)
    stage.isRepeat?.(record({ deliveryId: `dlv_${n}` }));

  expect(await run(record(twin))).toEqual([]);
});

test("a step remembered on assignment counts as taken, and is forgotten with the partition", async () => {
  const { stage, run, record } = aStage();
  stage.remember?.(record({}, 5));

  expect(await run(record({}, 6))).toEqual([]);
  stage.forget?.({ topic: "t.deliveries", partition: 0 });

  expect(topicsOf(await run(record({}, 7)))).toEqual(["attempts"]);
});

test("an open record is not dropped because a later twin, dropped before a crash, is remembered", async () => {
  const { stage, run, record } = aStage();
  stage.remember?.(record({}, 105));

  expect(topicsOf(await run(record({}, 100)))).toEqual(["attempts"]);
});

test("an unknown endpoint defers by a second, and after a minute is a dead letter", async () => {
  const { run, record, clock } = aStage([]);

  const first = await run(record());
  const waiting = deliveryOf(first);
  clock.advance(30_000);
  const again = await run(record(waiting));
  clock.advance(31_000);
  const over = await run(record(deliveryOf(again)));

  expect(topicsOf(first)).toEqual(["attempts", "retry.1s"]);
  expect(attemptOf(first)).toMatchObject({
    attemptNumber: 0,
    outcome: null,
    status: "pending",
    disposition: "defer",
    deferralReason: "endpoint_unknown",
  });
  expect(waiting).toMatchObject({
    attemptNumber: 1,
    step: 1,
    deferralReason: "endpoint_unknown",
    deferredMs: 1_000,
    endpointUnknownSince: BUILT_AT,
    nextAttemptAt: BUILT_AT + 1_000,
  });
  // A second deferral for the same reason writes no second attempt.
  expect(topicsOf(again)).toEqual(["retry.1s"]);
  expect(deadLetterOf(over)).toMatchObject({
    reason: "endpoint_deleted",
    attempts: 0,
    lastOutcome: null,
  });
});

test("a delivery carries what its last attempt showed: its deferrals say so, and its dead letter if none follows", async () => {
  const { run, record, clock, table } = aStage(
    [registered()],
    [{ ...answered(503), durationMs: 12.4, remoteAddress: "192.0.2.7" }],
  );
  const lastAttempt = {
    attemptNumber: 1,
    outcome: "http_error",
    statusCode: 503,
    errorCode: null,
    durationMs: 12,
  };

  const failed = await run(record());
  table.behind = () => "not read to its end";
  table.set("ep_1", registered({ version: 0 }));
  const deferred = await run(record(deliveryOf(failed)));
  table.behind = () => null;
  table.set("ep_1", registered({ state: "paused" }));
  const parked = await run(record(deliveryOf(deferred)));
  clock.advance(120 * 3_600_000);
  table.set("ep_1", registered());
  const expired = await run(
    record({ ...deliveryOf(deferred), deliveryId: "dlv_2" }),
  );

  expect(attemptOf(failed).lastAttempt).toBe(null);
  expect(deliveryOf(failed).lastAttempt).toEqual(lastAttempt);
  expect(attemptOf(deferred)).toMatchObject({
    attemptNumber: 0,
    outcome: null,
    remoteAddress: null,
    status: "failed",
    lastAttempt,
  });
  expect(deliveryOf(deferred).lastAttempt).toEqual(lastAttempt);
  for (const [records, reason] of [
    [parked, "paused"],
    [expired, "expired"],
  ] as const)
    expect(deadLetterOf(records)).toMatchObject({
      reason,
      attempts: 1,
      lastOutcome: "http_error",
      lastStatusCode: 503,
      delivery: { lastAttempt },
    });
});

test("while the table is behind, an unknown endpoint is not taken for deleted, nor an older version for the newest", async () => {
  const { run, record, clock, table, requests } = aStage([
    registered({ version: 3 }),
  ]);
  table.behind = () => "not read to its end";
  const unknown = { deliveryId: "dlv_1", endpointId: "ep_2" };
  const newer = { deliveryId: "dlv_2", endpointVersion: 4 };
  const runBoth = async (step: number) => [
    await run(record({ ...unknown, step, endpointUnknownSince: BUILT_AT })),
    await run(record({ ...newer, step, endpointUnknownSince: BUILT_AT })),
  ];
  clock.advance(61_000);

  const waiting = await runBoth(1);
  table.behind = () => null;
  const over = await runBoth(2);

  expect(waiting.map((one) => deliveryOf(one).deferralReason)).toEqual([
    "endpoint_unknown",
    "endpoint_behind",
  ]);
  expect(deadLetterOf(over[0]!)).toMatchObject({ reason: "endpoint_deleted" });
  expect(requests).toHaveLength(1);
});

test("a table that is behind the delivery's version defers it by a second", async () => {
  const { run, record, requests } = aStage([registered({ version: 3 })]);

  const records = await run(record({ endpointVersion: 4 }));

  expect(deliveryOf(records)).toMatchObject({
    deferralReason: "endpoint_behind",
    attemptNumber: 1,
  });
  expect(requests).toEqual([]);
});

test("disabled and paused endpoints' deliveries become dead letters with that reason", async () => {
  const disabled = aStage([registered({ state: "disabled" })]);
  const paused = aStage([registered({ state: "paused" })]);

  expect(deadLetterOf(await disabled.run(disabled.record())).reason).toBe(
    "endpoint_disabled",
  );
  expect(
    deadLetterOf(await paused.run(paused.record({ step: 2 }))),
  ).toMatchObject({
    reason: "paused",
    step: 2,
    delivery: { step: 3 },
  });
});

test("a paused endpoint's delivery waits while the table is behind: the endpoint may have been resumed since", async () => {
  const { run, record, table } = aStage([registered({ state: "paused" })]);
  table.behind = () => "the table was last read 9 s ago";

  const records = await run(record());

  expect(topicsOf(records)).not.toContain("dead-letters");
  expect(deliveryOf(records)).toMatchObject({
    deferralReason: "endpoint_behind",
    endpointUnknownSince: null,
    step: 1,
  });
});

test("notBefore defers without counting as deferred time, and expiresAt and age end a delivery", async () => {
  const { run, record, clock } = aStage();

  const early = deliveryOf(await run(record({ notBefore: BUILT_AT + 8_000 })));
  const expired = await run(
    record({ deliveryId: "dlv_2", expiresAt: BUILT_AT - 1 }),
  );
  clock.advance(120 * 3_600_000);
  const old = await run(record({ deliveryId: "dlv_3" }));
  const deferred = await run(
    record({ deliveryId: "dlv_4", deferredMs: 119 * 3_600_000 }),
  );

  expect(early).toMatchObject({
    deferralReason: "not_before",
    deferredMs: 0,
    nextAttemptAt: BUILT_AT + 8_000,
  });
  expect(deadLetterOf(expired)).toMatchObject({
    reason: "expired",
    attempts: 0,
  });
  expect(deadLetterOf(old).reason).toBe("expired");
  expect(topicsOf(deferred)).toEqual(["attempts"]);
});

test.each([
  // notBefore and expiresAt, from now
  [300, null],
  [300, 500],
  [20_500, null],
  [100_300, 102_300],
  [62_000, null],
  [24.75 * 3_600_000, null],
  [24.75 * 3_600_000, 24.75 * 3_600_000],
  [72 * 3_600_000, null],
])(
  "notBefore in %d ms is planned late by a second at most, and within expiresAt (%d)",
  async (notBeforeMs, expiresMs) => {
    const { run, record } = aStage();
    const expiresAt = expiresMs === null ? null : BUILT_AT + expiresMs;

    const { nextAttemptAt } = deliveryOf(
      await run(record({ notBefore: BUILT_AT + notBeforeMs, expiresAt })),
    );

    const waitMs = nextAttemptAt! - BUILT_AT;
    expect(waitMs).toBeGreaterThanOrEqual(notBeforeMs);
    expect(waitMs).toBeLessThanOrEqual(
      Math.min(notBeforeMs + 1_000, expiresMs ?? Infinity),
    );
  },
);

test("relief puts the delivery into the tier of its slot and spends no attempt", () => {
  const { stage, record } = aStage();

  const slotAt = BUILT_AT + 5_000;
  const records = [...(stage.defer?.(record(), slotAt, false) ?? [])];

  expect(topicsOf(records)).toEqual(["attempts", "retry.4s"]);
  expect(deliveryOf(records)).toMatchObject({
    attemptNumber: 1,
    step: 1,
    slotAt: BUILT_AT + 5_000,
    nextAttemptAt: BUILT_AT + 5_000,
    deferralReason: "lane_slow",
    deferredMs: 5_000,
  });
});

test("a lane whose endpoint's rate limit is reached waits for its next start, and relief says so", async () => {
  const rateLimit = { perSecond: 2, burst: 1 };
  const { stage, clock, record, run } = aStage([registered({ rateLimit })]);
  expect(stage.laneRateLimit?.("ep_1")?.nextStartAt()).toBeLessThanOrEqual(
    clock.monotonic(),
  );

  await run(record());

  const nextStartAt = clock.monotonic() + 500;
  expect(stage.laneRateLimit?.("ep_1")).toMatchObject({ perSecond: 2 });
  expect(stage.laneRateLimit?.("ep_1")?.nextStartAt()).toBe(nextStartAt);
  const slotAt = BUILT_AT + 5_000;
  const records = [...(stage.defer?.(record(), slotAt, true) ?? [])];
  expect(deliveryOf(records)).toMatchObject({
    attemptNumber: 1,
    slotAt,
    deferralReason: "rate_limited",
  });
});

test("a turn stays a turn if the limit lets something start meanwhile, and a slow lane's slot is none though its limit is reached: it ends no delivery", async () => {
  const rateLimit = { perSecond: 1, burst: 1 };
  const { stage, record, run } = aStage([registered({ rateLimit })]);
  const slotAt = BUILT_AT + 300_000;
  const expiresAt = BUILT_AT + 60_000;
  const deferred = (fields: Partial<Delivery>, isTurn: boolean) =>
    deliveryOf([...(stage.defer?.(record(fields), slotAt, isTurn) ?? [])]);

  expect(deferred({}, true)).toMatchObject({ deferralReason: "rate_limited" });
  stage.laneRateLimit?.("ep_1");
  await run(record());
  expect(deferred({ expiresAt }, false)).toMatchObject({
    deferralReason: "lane_slow",
  });
});

test("a delivery whose turn by the rate limit comes after its expiresAt is given up at once", async () => {
  const rateLimit = { perSecond: 0.01, burst: 1 };
  const { stage, record, run } = aStage([registered({ rateLimit })]);
  stage.laneRateLimit?.("ep_1");
  await run(record());

  const expiring = record({ expiresAt: BUILT_AT + 60_000 });
  const slotAt = BUILT_AT + 100_000;
  const records = [...(stage.defer?.(expiring, slotAt, true) ?? [])];

  expect(deadLetterOf(records)).toMatchObject({
    reason: "expired",
    detail: "its turn by the endpoint's rate limit comes after its expiresAt",
  });
});

test("what is parked need not wait for the endpoint's rate limit", async () => {
  const rateLimit = { perSecond: 0.01, burst: 1 };
  const { stage, table } = aStage([registered({ rateLimit })]);
  expect(stage.laneRateLimit?.("ep_1")).toBeDefined();

  table.set("ep_1", registered({ rateLimit, state: "paused" }));

  expect(stage.laneRateLimit?.("ep_1")).toBeUndefined();
});

test("a shortage of sockets in this process makes a deferral and an error log line, and spends no attempt", async () => {
  const fault = {
    kind: "local_fault",
    errorCode: "EMFILE",
    error: "no descriptor",
  } as const;
  const { run, record, effects } = aStage([registered()], [fault]);

  const records = await run(record());

  expect(deliveryOf(records)).toMatchObject({
    attemptNumber: 1,
    deferralReason: "local_fault",
  });
  expect(effects.log.of("sender.exhausted")).toHaveLength(1);
});

test("a secret that does not open is never skipped: the delivery waits and nothing is sent", async () => {
  const foreign = sealed(SECRET, "ep_of_somebody_else");
  const { run, record, requests, effects } = aStage([
    registered({ secrets: [foreign] }),
  ]);

  const records = await run(record());

  expect(deliveryOf(records).deferralReason).toBe("secret_unavailable");
  expect(requests).toEqual([]);
  expect(JSON.stringify(effects.log.lines)).not.toContain(SECRET);
});

test.each([
  [
    "an unknown key",
    { ...sealed(SECRET, "ep_1"), kid: "k2" },
    /\bk2\b.*POSTRIDER_ENCRYPTION_KEYS/,
  ],
  [
    "another owner",
    sealed(SECRET, "ep_of_somebody_else"),
    /\bk1\b.*new secret/,
  ],
  [
    "no secret that is valid",
    sealed(SECRET, "ep_1", "sec_1", BUILT_AT),
    /no secret/,
  ],
])(
  "what cannot be signed (%s) waits less and less often, and is a dead letter once its age is used up",
  async (_why, secret, detail) => {
    const endpoint = registered({ secrets: [secret], retryDelaysMs: [1_000] });
    const { run, record, clock, requests } = aStage([endpoint]);
    const waits: number[] = [];

    let records = await run(record());
    for (let rounds = 0; rounds < 5_000; rounds += 1) {
      const waiting = deliveryOf(records);
      if (waiting === undefined) break;
      waits.push(waiting.nextAttemptAt! - clock.now());
      clock.setNow(waiting.nextAttemptAt!);
      records = await run(record(waiting));
    }

    expect(topicsOf(records)).toEqual(["dead-letters"]);
    const letter = deadLetterOf(records);
    expect(letter).toMatchObject({ reason: "expired", attempts: 0 });
    expect(letter.detail).toMatch(detail);
    expect(letter.detail).not.toContain(SECRET);
    expect(letter.deadAt - BUILT_AT).toBeLessThanOrEqual(72 * 3_600_000);
    expect(letter.deadAt - BUILT_AT).toBeGreaterThan(71.9 * 3_600_000);
    expect(Math.min(...waits.slice(0, -1))).toBeGreaterThanOrEqual(60_000);
    expect(Math.max(...waits)).toBeLessThanOrEqual(3_601_000);
    expect(waits.length).toBeLessThan(150);
    expect(requests).toEqual([]);
  },
);

test("a delivery that cannot be signed gets a last try just before expiresAt, and is sent if the secret opens then", async () => {
  const endpoint = registered({ secrets: [sealed(SECRET, "ep_2")] });
  const { run, record, clock, table } = aStage([endpoint]);
  const expiresAt = BUILT_AT + 30_000;

  const waiting = deliveryOf(await run(record({ expiresAt })));
  clock.setNow(waiting.nextAttemptAt!);
  table.set("ep_1", registered());

  expect(waiting.nextAttemptAt).toBeLessThan(expiresAt);
  expect(topicsOf(await run(record(waiting)))).toEqual(["attempts"]);
});

test("concurrency starts at 2, grows by one with each success up to the cap, halves on a timeout and a refusal", async () => {
  const successes = Array.from({ length: 6 }, () => answered(200));
  const results = [
    ...successes,
    failedBy("timeout"),
    answered(500),
    failedBy("connection_refused"),
    failedBy("timeout"),
  ];
  const { stage, run, record } = aStage(
    [registered({ maxConcurrency: 5 })],
    results,
  );
  const seen = [stage.laneConcurrency("ep_1")];

  for (let step = 0; step < 10; step += 1) {
    await run(record({ step }));
    seen.push(stage.laneConcurrency("ep_1"));
  }

  expect(seen).toEqual([2, 3, 4, 5, 5, 5, 5, 2, 2, 1, 1]);
});

test("an endpoint is unknown until it answers, suspect after a time-out or two, and proven by any answer", async () => {
  const results = [
    failedBy("tls_error"),
    failedBy("timeout"),
    failedBy("dns_error"),
    answered(500),
    answered(200),
    failedBy("connection_refused"),
    failedBy("connection_refused"),
    answered(302),
    failedBy("connection_refused"),
  ];
  const { stage, run, record } = aStage([registered()], results);
  const seen = [stage.laneStanding?.("ep_1")];

  for (let step = 0; step < 9; step += 1) {
    await run(record({ step }));
    seen.push(stage.laneStanding?.("ep_1"));
  }

  expect(seen).toEqual([
    "unknown",
    "unknown",
    "suspect",
    "suspect",
    "proven",
    "proven",
    "proven",
    "suspect",
    "proven",
    "proven",
  ]);
});

test("one timeout among many answers does not make an endpoint suspect", async () => {
  const results = [answered(200), answered(200), failedBy("timeout")];
  const { stage, run, record } = aStage([registered()], results);

  for (let step = 0; step < 3; step += 1) await run(record({ step }));

  expect(stage.laneStanding?.("ep_1")).toBe("proven");
});

test("deliveries share slots by tenant", () => {
  const { stage, record } = aStage();

  expect(stage.groupOf?.(record({ tenantId: "other" }))).toBe("other");
});

test("a 2xx whose body did not end in time does not let more run at once", async () => {
  const late = answered(200, { isBodyLate: true });
  const { stage, run, record } = aStage([registered()], [late]);

  for (let step = 0; step < 5; step += 1) await run(record({ step }));

  expect(stage.laneConcurrency("ep_1")).toBe(2);
});

test("an endpoint's own limit counts from its first delivery on", () => {
  const { stage } = aStage([registered({ maxConcurrency: 1 })], []);

  expect(stage.laneConcurrency("ep_1")).toBe(1);
});

test("a socket that outlives its attempt takes a slot until it is gone, and an idle endpoint is forgotten", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const results = [
    answered(200),
    answered(200),
    { ...failedBy("connection_reset"), released: promise },
    answered(200),
  ];
  const { stage, run, record, clock } = aStage(
    [
      registered(),
      registered({ id: "ep_2", secrets: [sealed(SECRET, "ep_2")] }),
    ],
    results,
  );
  for (let step = 0; step < 3; step += 1) await run(record({ step }));

  const whileLingering = stage.laneConcurrency("ep_1");
  resolve();
  await promise;
  const afterwards = stage.laneConcurrency("ep_1");
  clock.advance(16 * 60_000);
  await run(record({ endpointId: "ep_2", deliveryId: "dlv_2" }));

  expect([whileLingering, afterwards]).toEqual([3, 4]);
  expect(stage.laneConcurrency("ep_1")).toBe(2);
});

function headersOf(request: SendRequest | undefined): Record<string, string> {
  const flat = request?.headers ?? [];
  const headers: Record<string, string> = {};
  for (let at = 0; at < flat.length; at += 2)
    headers[(flat[at] ?? "").toLowerCase()] = flat[at + 1] ?? "";
  return headers;
}
