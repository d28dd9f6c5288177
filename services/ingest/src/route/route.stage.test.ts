import { expect, test } from "@jest/globals";
import { anEndpoint, anEvent, aSealedSecret } from "@postrider/testkit";
import {
  type DeadLetter,
  type Delivery,
  deliveryIdOf,
  type Endpoint,
  inlineEndpointId,
  type Intake,
  parseCidrs,
  rawValueAad,
  type SealedSecret,
  secretAad,
  type WebhookEvent,
  webhookIdOf,
} from "@postrider/core";
import type {
  Decoded,
  OutRecord,
  RawRecord,
  Verdict,
} from "@postrider/messaging";
import { TypeCatalogue } from "@postrider/event-types";
import { createKeyRing, sha256Text } from "@postrider/runtime";
import { EndpointFilters } from "./endpoint-filters.ts";
import { EndpointIndex } from "./endpoint-index.ts";
import { createEventDecoder } from "./read-event.ts";
import { createRouteStage, type RouteOptions } from "./route.stage.ts";

const NOW = 1_800_000_000_000;
const RECEIVED = NOW - 50;
const keyRing = createKeyRing([{ kid: "k1", key: Buffer.alloc(32, 1) }]);
const signal = new AbortController().signal;

function aRecord(
  value: string | Buffer | null,
  over: Partial<RawRecord> = {},
): RawRecord {
  return {
    topic: "t.events",
    partition: 0,
    offset: 7,
    timestamp: RECEIVED,
    key: Buffer.from("key"),
    value: typeof value === "string" ? Buffer.from(value) : value,
    headers: {},
    ...over,
  };
}

const routeOptions: Omit<RouteOptions, "endpoints"> = {
  rules: {
    maxPayloadBytes: 1_000,
    url: { allowHttp: false, allowedCidrs: [], deniedCidrs: [] },
    inline: { kind: "allow" },
  },
  types: new TypeCatalogue(),
  maxFanOut: 10_000,
  recordPayloads: "all",
  window: { maxRecords: 100, maxBytes: 1e6 },
  keyRing,
  encodeEvent: (event) => Buffer.from(`avro ${JSON.stringify(event)}`),
  filters: new EndpointFilters(),
  now: () => NOW,
  spans: null,
};

/** A decoder whose Avro knows one event, or none. */
const decoderOf = (avro?: Decoded<WebhookEvent>) =>
  createEventDecoder(
    () => avro ?? { kind: "unreadable", reason: "unreadable", detail: "no" },
  );

function decoded(raw: RawRecord, avro?: Decoded<WebhookEvent>) {
  const result = decoderOf(avro)(raw);
  if (result.kind !== "decoded") throw new Error(result.kind);
  return { raw, value: result.value };
}

/** The stage, with an Avro decoder that knows one event. */
function aRoute(
  over: Omit<Partial<RouteOptions>, "endpoints"> & {
    endpoints?: readonly Endpoint[];
    avro?: Decoded<WebhookEvent>;
  } = {},
) {
  const endpoints = new EndpointIndex();
  for (const one of over.endpoints ?? []) endpoints.set(one.id, one);
  const stage = createRouteStage({ ...routeOptions, ...over, endpoints });
  const { avro } = over;
  return {
    stage,
    decode: decoderOf(avro),
    remember: (raw: RawRecord) => stage.remember?.(decoded(raw, avro)),
    route: async (raw: RawRecord) =>
      sorted(await stage.handle(decoded(raw, avro), signal)),
  };
}

function sorted(verdict: Verdict) {
  if (verdict.kind !== "emit") throw new Error("route never rejects");
  const records = [...verdict.records];
  const of = <T>(topic: OutRecord["topic"]) =>
    records.filter((one) => one.topic === topic).map((one) => one.value as T);
  return {
    records,
    deliveries: of<Delivery>("deliveries"),
    intake: of<Intake>("intake"),
    deadLetters: of<DeadLetter>("dead-letters"),
  };
}

const envelope = (over: Record<string, unknown> = {}) =>
  JSON.stringify({
    id: "evt.1",
    type: "order.paid",
    tenantId: "acme",
    payload: { total: 1 },
    ...over,
  });

test("an event goes to every endpoint of its tenant that wants its type, and intake says so", async () => {
  const { route } = aRoute({
    endpoints: [
      anEndpoint({ id: "ep_a", version: 3 }),
      anEndpoint({ id: "ep_paused", state: "paused" }),
      anEndpoint({ id: "ep_off", state: "disabled" }),
      anEndpoint({ id: "ep_other", eventTypes: ["user.*"] }),
      anEndpoint({ id: "ep_foreign", tenantId: "other" }),
    ],
  });

  const { records, deliveries, intake, deadLetters } = await route(
    aRecord(
      envelope({
        notBefore: NOW + 1,
        expiresAt: NOW + 2,
        headers: { "X-A": "b" },
      }),
      { headers: { traceparent: Buffer.from(TRACEPARENT) } },
    ),
  );

  expect(deliveries.map((one) => one.endpointId)).toEqual([
    "ep_a",
    "ep_paused",
  ]);
  expect(records.map((one) => String(one.key))).toEqual([
    "ep_a",
    "ep_paused",
    "acme:evt.1",
  ]);
  const key = { tenantId: "acme", eventId: "evt.1", endpointId: "ep_a" };
  expect(deliveries[0]).toEqual({
    deliveryId: deliveryIdOf(sha256Text, { ...key, replayId: null }),
    webhookId: webhookIdOf(sha256Text, key),
    ...key,
    eventType: "order.paid",
    endpointVersion: 3,
    attemptNumber: 1,
    step: 0,
    trigger: "first",
    replayId: null,
    occurredAt: null,
    receivedAt: RECEIVED,
    contentType: "application/json",
    payload: Buffer.from('{"total":1}'),
    headers: { "X-A": "b" },
    traceparent: TRACEPARENT,
    tracestate: null,
    inline: null,
    notBefore: NOW + 1,
    expiresAt: NOW + 2,
    nextAttemptAt: null,
    slotAt: null,
    deferralReason: null,
    deferredMs: 0,
    endpointUnknownSince: null,
    lastAttempt: null,
    sourceTopic: "t.events",
    sourcePartition: 0,
    sourceOffset: 7,
  });
  expect(deadLetters).toEqual([]);
  expect(intake).toMatchObject([
    {
      decision: "routed",
      tenantId: "acme",
      eventId: "evt.1",
      eventType: "order.paid",
      receivedAt: RECEIVED,
      decidedAt: NOW,
      pausedEndpointIds: ["ep_paused"],
      disabledEndpointIds: ["ep_off"],
      noMatchCount: 1,
      payload: Buffer.from('{"total":1}'),
      payloadBytes: 11,
      part: 0,
      parts: 1,
    },
  ]);
  expect(intake[0]?.deliveries).toEqual(
    deliveries.map(({ deliveryId, endpointId }) => ({
      deliveryId,
      endpointId,
    })),
  );
});

const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

test("an event from the future gets the start of this hour as receivedAt, in every record", async () => {
  const timestamp = Date.UTC(2099, 0, 1);
  const hour = Math.floor(NOW / 3_600_000) * 3_600_000;
  const { route, stage } = aRoute({ endpoints: [anEndpoint()] });

  const routed = await route(aRecord(envelope(), { timestamp }));
  const refused = await route(aRecord(envelope({ id: "" }), { timestamp }));
  const raw = aRecord("?", { timestamp });
  const unread = stage.unread?.(raw, "unknown_schema", "never came") ?? [];

  const values = [...routed.records, ...refused.records, ...unread];
  expect(values.length).toBeGreaterThan(4);
  for (const { value } of values)
    expect(value).toMatchObject({ receivedAt: hour });
});

test("an event routed twice makes the same deliveries", async () => {
  const endpoints = [anEndpoint({ id: "ep_a" })];

  const one = await aRoute({ endpoints }).route(aRecord(envelope()));
  const two = await aRoute({ endpoints }).route(aRecord(envelope()));

  expect(one.deliveries).toEqual(two.deliveries);
});

test.each([
  [[], "no endpoint of the tenant wants this type"],
  [
    [anEndpoint({ state: "disabled" })],
    "every endpoint that wants this type is disabled",
  ],
])(
  "an event that nobody gets is no_match, with the reason",
  async (endpoints, reason) => {
    const { intake, deliveries, deadLetters } = await aRoute({
      endpoints,
    }).route(aRecord(envelope()));

    expect(deliveries).toEqual([]);
    expect(deadLetters).toEqual([]);
    expect(intake).toMatchObject([{ decision: "no_match", reason }]);
  },
);

test("an inline destination gets one delivery with its secret sealed, whatever endpoints there are", async () => {
  const url = "https://callback.example/hook";
  const destination = {
    url,
    secret: "hush",
    maxAttempts: 3,
    timeoutSeconds: 9,
    retryDelaysMs: [5_000],
    maxAgeMs: 60_000,
    notRetryableStatuses: [404],
  };

  const { deliveries, intake, records } = await aRoute({
    endpoints: [anEndpoint()],
  }).route(aRecord(envelope({ destination })));

  const endpointId = inlineEndpointId(sha256Text, "acme", url);
  expect(deliveries).toMatchObject([
    {
      endpointId,
      endpointVersion: 0,
      inline: {
        url,
        maxAttempts: 3,
        timeoutMs: 9_000,
        retryDelaysMs: [5_000],
        maxAgeMs: 60_000,
        notRetryableStatuses: [404],
      },
    },
  ]);
  const secret = deliveries[0]?.inline?.secrets[0];
  const aad = secretAad("acme", endpointId, secret?.id ?? "");
  expect(keyRing.open(secret!, aad).toString()).toBe("hush");
  expect(intake).toMatchObject([{ decision: "routed", noMatchCount: 0 }]);
  expect(JSON.stringify(records)).not.toContain("hush");
});

/** An Avro event whose secret came sealed: by the door, or by a publisher of its own. */
function eventWithSealed(sealedSecret: SealedSecret): WebhookEvent {
  return anEvent({
    destination: {
      url: "https://callback.example/",
      secret: null,
      sealedSecret,
      maxAttempts: 5,
      timeoutSeconds: 30,
      retryDelaysMs: null,
      maxAgeMs: null,
      notRetryableStatuses: [],
    },
  });
}

function sealedFor(
  tenantId: string,
  { url = "https://callback.example/", text = "hush" } = {},
): SealedSecret {
  const endpointId = inlineEndpointId(sha256Text, tenantId, url);
  const aad = secretAad(tenantId, endpointId, "sec_1");
  return aSealedSecret({ ...keyRing.seal(Buffer.from(text), aad) });
}

test.each([
  ["as it is", sealedFor("acme")],
  // while a new key is rolled out, the door may have it before route does
  ["with a key that is not here yet", aSealedSecret({ kid: "k2" })],
])("a secret that came sealed is passed on %s", async (_how, secret) => {
  const value = eventWithSealed(secret);
  const { route } = aRoute({ avro: { kind: "decoded", value } });

  const { deliveries } = await route(aRecord(Buffer.of(0xc3, 1)));

  expect(deliveries[0]?.inline?.secrets).toEqual([secret]);
});

test.each([
  ["changed", aSealedSecret(), "sealed"],
  ["too short", aSealedSecret({ ciphertext: Buffer.alloc(3) }), "sealed"],
  ["another tenant's", sealedFor("other"), "sealed"],
  [
    "another URL's",
    sealedFor("acme", { url: "https://elsewhere.example/" }),
    "sealed",
  ],
  ["moved to another id", { ...sealedFor("acme"), id: "sec_2" }, "sealed"],
  ["empty", sealedFor("acme", { text: "" }), "required"],
  ["no base64", sealedFor("acme", { text: "whsec_*hush*" }), "base64"],
])(
  "an event whose sealed secret is %s is invalid, and no duplicate of a good one",
  async (_what, secret, rule) => {
    const avro = { kind: "decoded", value: eventWithSealed(secret) } as const;
    const { route, remember } = aRoute({ avro });

    remember(aRecord(Buffer.of(0xc3, 1), { offset: 6 }));
    const { deliveries, deadLetters, intake } = await route(
      aRecord(Buffer.of(0xc3, 1)),
    );

    const field = "destination.sealedSecret";
    expect(deliveries).toEqual([]);
    expect(deadLetters).toMatchObject([{ reason: "invalid", field, rule }]);
    expect(intake).toMatchObject([{ decision: "invalid", field, rule }]);
    expect(deadLetters[0]?.detail).not.toContain("hush");
  },
);

test("a record that is not an event is kept sealed, and has an intake record", async () => {
  for (const value of ["{broken", "\u0000garbage", "secret=hush"]) {
    const raw = aRecord(value, { headers: { "x-a": [Buffer.from("1")] } });

    const { deadLetters, intake, deliveries, records } =
      await aRoute().route(raw);

    expect(deliveries).toEqual([]);
    expect(deadLetters).toMatchObject([
      {
        reason: "unreadable",
        stage: "route",
        tenantId: null,
        rawKey: Buffer.from("key"),
        rawKid: "k1",
        rawHeaders: { "x-a": Buffer.from("1") },
        rawBytes: raw.value?.length,
        recordOffset: 7,
      },
    ]);
    const sealed = { kid: "k1", ciphertext: deadLetters[0]!.rawValue! };
    expect(keyRing.open(sealed, rawValueAad(raw))).toEqual(raw.value);
    expect(intake).toMatchObject([{ decision: "invalid", eventId: null }]);
    expect(records.map((one) => String(one.key))).toEqual(["key", "key"]);
  }
});

test.each([null, Buffer.alloc(0)])(
  "a record without a value is unreadable",
  async (value) => {
    const { deadLetters, intake } = await aRoute().route(aRecord(value));

    expect(deadLetters).toMatchObject([
      { reason: "unreadable", rule: "required" },
    ]);
    expect(intake).toMatchObject([{ decision: "invalid", rule: "required" }]);
  },
);

test("a broken rule is named with its field, and the secret is blanked in what is kept", async () => {
  const text = envelope({
    type: "order..paid",
    destination: { url: "http://callback.example/", secret: "hush" },
  });

  const { deadLetters, intake } = await aRoute().route(aRecord(text));

  expect(deadLetters).toMatchObject([
    {
      reason: "invalid",
      field: "type",
      rule: "dotted",
      tenantId: "acme",
      eventId: "evt.1",
      eventType: null,
      rawKid: null,
    },
  ]);
  expect(deadLetters[0]?.detail).toContain("destination.url: ");
  expect(Buffer.from(deadLetters[0]!.rawValue!).toString()).toBe(
    text.replace("hush", "[redacted]"),
  );
  expect(intake).toMatchObject([
    { decision: "invalid", field: "type", rule: "dotted", eventId: "evt.1" },
  ]);
});

test("an event with tens of thousands of broken headers has a short dead letter and a short intake record", async () => {
  const headers = Object.fromEntries(
    Array.from({ length: 30_000 }, (_, index) => [`bad name ${index}`, "a"]),
  );
  const contentType = "x".repeat(100_000);

  const { deadLetters, intake } = await aRoute().route(
    aRecord(envelope({ headers, contentType })),
  );

  const detail = deadLetters[0]?.detail;
  expect(detail).toMatch(/^contentType: .*; and 29982 more problems$/);
  expect(detail?.length).toBeLessThan(2_000);
  expect(intake).toMatchObject([{ reason: detail, contentType: "" }]);
});

test("a decoder's detail about a record is cut", async () => {
  const detail = "no ".repeat(100_000);
  const { route, stage } = aRoute({
    avro: { kind: "unreadable", reason: "unreadable", detail },
  });
  const raw = aRecord("\u0000garbage");

  const { deadLetters, intake } = await route(raw);
  const unread = stage.unread?.(raw, "unknown_schema", detail) ?? [];

  expect(deadLetters[0]?.detail.length).toBeLessThan(1_000);
  expect(intake[0]?.reason?.length).toBeLessThan(1_000);
  expect(JSON.stringify(unread).length).toBeLessThan(3_000);
});

test("a secret that was pasted with something around it is refused, and appears in no record", async () => {
  for (const secret of ["v1,whsec_hush", "whsec_hush", "hu\nsh", " hush"]) {
    const url = "https://callback.example/";
    const text = envelope({ destination: { url, secret } });

    const { deadLetters, intake, deliveries, records } = await aRoute().route(
      aRecord(text),
    );

    expect(deliveries).toEqual([]);
    expect(deadLetters).toMatchObject([
      { reason: "invalid", field: "destination.secret" },
    ]);
    expect(intake).toMatchObject([{ decision: "invalid" }]);
    const kept = Buffer.from(deadLetters[0]!.rawValue!).toString();
    expect(kept + JSON.stringify(records)).not.toMatch(/hush|hu.?.nsh/);
  }
});

test("a receiver gets the secret headers of an event, and intake has them redacted", async () => {
  const headers = { Authorization: "Bearer hush", "x-team": "orders" };
  const endpoints = [anEndpoint()];

  for (const over of [{}, { tenantId: "nobody" }]) {
    const { deliveries, intake } = await aRoute({ endpoints }).route(
      aRecord(envelope({ headers, ...over })),
    );

    for (const delivery of deliveries)
      expect(delivery.headers).toEqual(headers);
    expect(intake[0]?.headers).toEqual({
      Authorization: "[redacted]",
      "x-team": "orders",
    });
  }
});

test("the dead letter of a refused event keeps no secret header, of the event or of its record", async () => {
  const headers = { Authorization: "Bearer hush", "x-team": "orders" };
  const raw = {
    headers: {
      "x-api-key": [Buffer.from("hush"), Buffer.from("hush, too")],
      ce_source: Buffer.from("shop"),
    },
  };
  const avro = anEvent({ id: "", headers });

  const letters = [
    await aRoute().route(aRecord(envelope({ type: "", headers }), raw)),
    await aRoute({ avro: { kind: "decoded", value: avro } }).route(
      aRecord(Buffer.of(0xc3, 1), raw),
    ),
  ].map(({ deadLetters }) => deadLetters[0]);

  for (const letter of letters) {
    const kept = Buffer.from(letter!.rawValue!).toString();
    expect(kept).toContain("orders");
    expect(kept).not.toContain("hush");
    expect(letter?.rawHeaders).toEqual({
      "x-api-key": Buffer.from("[redacted]"),
      "x-api-key[1]": Buffer.from("[redacted]"),
      ce_source: Buffer.from("shop"),
    });
  }
});

test("an invalid Avro event is kept as Avro without its secret", async () => {
  const event = anEvent({
    id: "",
    destination: {
      url: "https://u:hush@callback.example/",
      secret: "hush",
      sealedSecret: null,
      maxAttempts: 5,
      timeoutSeconds: 30,
      retryDelaysMs: null,
      maxAgeMs: null,
      notRetryableStatuses: [],
    },
  });
  const { route } = aRoute({ avro: { kind: "decoded", value: event } });

  const { deadLetters } = await route(aRecord(Buffer.of(0xc3, 1)));

  const kept = Buffer.from(deadLetters[0]!.rawValue!).toString();
  expect(deadLetters).toMatchObject([{ reason: "invalid", field: "id" }]);
  expect(kept).toMatch(/^avro /);
  expect(kept).not.toContain("hush");
});

test("a payload over the limit is refused, and left out of intake but for its size", async () => {
  const { intake } = await aRoute().route(
    aRecord(envelope({ payload: "x".repeat(999) })),
  );

  expect(intake).toMatchObject([
    { decision: "invalid", rule: "max_bytes", payloadBytes: 1_001 },
  ]);
  expect(intake[0]?.payload).toHaveLength(0);
});

test("the same event again is a duplicate and is not delivered", async () => {
  const { route } = aRoute({ endpoints: [anEndpoint()] });

  const first = await route(aRecord(envelope(), { offset: 1 }));
  const again = await route(aRecord(envelope(), { offset: 2 }));
  const otherTenant = await route(
    aRecord(envelope({ tenantId: "beta" }), { offset: 3 }),
  );
  const redelivered = await route(aRecord(envelope(), { offset: 1 }));

  expect(first.intake).toMatchObject([{ decision: "routed" }]);
  expect(again.intake).toMatchObject([{ decision: "duplicate" }]);
  expect(again.deliveries).toEqual([]);
  expect(otherTenant.intake).toMatchObject([{ decision: "no_match" }]);
  expect(redelivered.intake).toMatchObject([{ decision: "routed" }]);
});

test("a duplicate with another payload says so, also of an event that was remembered", async () => {
  const { route, remember } = aRoute({ endpoints: [anEndpoint()] });
  remember(aRecord(envelope(), { offset: 1 }));

  const [same, other] = [
    await route(aRecord(envelope(), { offset: 2 })),
    await route(aRecord(envelope({ payload: { total: 2 } }), { offset: 3 })),
  ].map(({ intake }) => intake[0]);

  expect(same?.reason).not.toContain("another");
  expect(other?.decision).toBe("duplicate");
  expect(other?.reason).toContain("with another type or payload");
});

test("an operational event that is told again, with what it counts by then, is a duplicate and no fault of a publisher", async () => {
  const { route } = aRoute({ endpoints: [anEndpoint()] });
  const type = "postrider.dead_letters.growing";
  const told = (count: number) => envelope({ type, payload: { count } });

  await route(aRecord(told(100), { offset: 1 }));
  const again = await route(aRecord(told(140), { offset: 2 }));

  expect(again.intake).toMatchObject([
    {
      decision: "duplicate",
      reason: "an event of this tenant and id was accepted before",
    },
  ]);
});

test("an invalid event does not make a later good one a duplicate", async () => {
  const { route } = aRoute({ endpoints: [anEndpoint()] });
  await route(aRecord(envelope({ type: "" }), { offset: 1 }));

  const good = await route(aRecord(envelope(), { offset: 2 }));

  expect(good.intake).toMatchObject([{ decision: "routed" }]);
});

test("an event remembered on assignment makes its repeat a duplicate, until the partition is revoked", async () => {
  const { route, remember, stage } = aRoute({ endpoints: [anEndpoint()] });
  remember(aRecord(envelope(), { offset: 1 }));
  remember(aRecord("garbage", { offset: 2 }));

  const repeat = await route(aRecord(envelope(), { offset: 3 }));
  stage.forget?.({ topic: "t.events", partition: 0 });
  const after = await route(aRecord(envelope(), { offset: 4 }));

  expect(repeat.intake).toMatchObject([{ decision: "duplicate" }]);
  expect(after.intake).toMatchObject([{ decision: "routed" }]);
});

test("where payloads are not recorded, intake has their size alone, and deliveries have them", async () => {
  const { route } = aRoute({
    recordPayloads: "none",
    endpoints: [anEndpoint()],
  });

  const routed = await route(aRecord(envelope()));
  const invalid = await route(aRecord(envelope({ type: "no type" })));

  for (const { intake } of [routed, invalid])
    expect(intake).toMatchObject([
      { payload: Buffer.alloc(0), payloadBytes: 11 },
    ]);
  expect(routed.deliveries).toMatchObject([
    { payload: Buffer.from('{"total":1}') },
  ]);
});

test("remembering on assignment costs no fan-out, and an event that was refused does not make its repeat a duplicate", async () => {
  const asked: string[] = [];
  const endpoints = new EndpointIndex();
  for (const id of ["a", "b", "c"])
    endpoints.set(id, anEndpoint({ id, eventTypes: ["wanted.*"] }));
  const stage = createRouteStage({
    ...routeOptions,
    maxFanOut: 2,
    endpoints: {
      fanOut: (tenantId, type) => {
        asked.push(type);
        return endpoints.fanOut(tenantId, type);
      },
      mostWanting: (...of) => endpoints.mostWanting(...of),
    },
  });
  const few = decoded(aRecord(envelope({ id: "few" })));
  const many = decoded(aRecord(envelope({ id: "many", type: "wanted.much" })));
  stage.remember?.(few);
  stage.remember?.(many);

  expect(asked).toEqual([]);
  endpoints.set("c", undefined);
  const later = { offset: 8 };
  const decisions: unknown[] = [];
  for (const { raw, value } of [few, many]) {
    const repeat = { raw: { ...raw, ...later }, value };
    const verdict = await stage.handle(repeat, signal);
    decisions.push(sorted(verdict).intake[0]?.decision);
  }

  expect(decisions).toEqual(["duplicate", "routed"]);
});

const DEAR = anEndpoint({ id: "ep_dear", filter: "payload.total > 100" });
const CHEAP = anEndpoint({ id: "ep_cheap", filter: "payload.total <= 100" });
const FAILING = anEndpoint({ id: "ep_failing", filter: "payload.nope == 1" });
const EVERY = anEndpoint({ id: "ep_every" });

test("an endpoint whose filter is false does not get the event, and intake has its id", async () => {
  const { route } = aRoute({ endpoints: [DEAR, CHEAP, EVERY] });

  const { deliveries, intake, deadLetters } = await route(aRecord(envelope()));

  expect(deliveries.map(({ endpointId }) => endpointId).toSorted()).toEqual([
    "ep_cheap",
    "ep_every",
  ]);
  expect(intake).toMatchObject([
    {
      decision: "routed",
      reason: null,
      rule: null,
      filteredEndpointIds: ["ep_dear"],
      failedFilters: [],
      noMatchCount: 0,
    },
  ]);
  expect(deadLetters).toEqual([]);
});

test("an event that all filters leave out is filtered, and is no dead letter", async () => {
  const { route } = aRoute({
    endpoints: [DEAR, anEndpoint({ id: "ep_off", state: "disabled" })],
  });

  const { records, intake } = await route(aRecord(envelope()));

  expect(records).toHaveLength(1);
  expect(intake).toMatchObject([
    {
      decision: "filtered",
      reason: "the filters of all endpoints that want this type leave it out",
      filteredEndpointIds: ["ep_dear"],
      disabledEndpointIds: ["ep_off"],
      deliveries: [],
      payload: Buffer.from('{"total":1}'),
    },
  ]);
});

test("a filter that fails is a skip with its reason, whether or not others get the event", async () => {
  const alone = aRoute({ endpoints: [FAILING] });
  const withOthers = aRoute({ endpoints: [FAILING, EVERY] });
  const failed = {
    filteredEndpointIds: ["ep_failing"],
    failedFilters: [
      {
        endpointId: "ep_failing",
        reason: "column 8, at `.nope == 1`: no such key",
      },
    ],
    field: "filter",
    rule: "filter_failed",
    reason: expect.stringContaining(
      "the filter of ep_failing failed: column 8, at `.nope == 1`: no such key",
    ),
  };

  const filtered = await alone.route(aRecord(envelope()));
  const routed = await withOthers.route(aRecord(envelope()));

  expect(filtered.intake).toMatchObject([{ decision: "filtered", ...failed }]);
  expect(filtered.records).toHaveLength(1);
  expect(routed.intake).toMatchObject([{ decision: "routed", ...failed }]);
  expect(routed.deliveries).toMatchObject([{ endpointId: "ep_every" }]);
});

test("a paused endpoint whose filter is false is not listed as paused", async () => {
  const paused = { ...DEAR, id: "ep_paused", state: "paused" };
  const { route } = aRoute({ endpoints: [paused, EVERY] });

  const { intake } = await route(aRecord(envelope()));

  expect(intake).toMatchObject([
    { pausedEndpointIds: [], filteredEndpointIds: ["ep_paused"] },
  ]);
});

test("an event that was filtered is accepted: its repeat is a duplicate", async () => {
  const { route } = aRoute({ endpoints: [DEAR] });

  await route(aRecord(envelope()));
  const { intake } = await route(aRecord(envelope(), { offset: 8 }));

  expect(intake).toMatchObject([{ decision: "duplicate" }]);
});

test("an event with a destination asks no filter", async () => {
  const { route } = aRoute({ endpoints: [FAILING] });

  const { deliveries, intake } = await route(
    aRecord(
      envelope({ destination: { url: "https://a.example/", secret: "hush" } }),
    ),
  );

  expect(deliveries).toHaveLength(1);
  expect(intake).toMatchObject([
    { decision: "routed", filteredEndpointIds: [] },
  ]);
});

test("of more than 500 filters each part of intake has its share, and in words only a few are told", async () => {
  const endpoints = Array.from({ length: 501 }, (_, n) => ({
    ...FAILING,
    id: `ep_${n}`,
  }));
  const { route } = aRoute({ endpoints });

  const { intake } = await route(aRecord(envelope()));

  expect(
    intake.map(({ filteredEndpointIds, failedFilters, part }) => [
      part,
      filteredEndpointIds.length,
      failedFilters.length,
    ]),
  ).toEqual([
    [0, 500, 500],
    [1, 1, 1],
  ]);
  expect(intake[0]?.reason).toContain("and 498 more failed");
  expect(intake[0]?.reason?.length).toBeLessThan(500);
});

test("more endpoints than the limit are refused with the reason, and not delivered in part", async () => {
  const endpoints = ["a", "b", "c"].map((id) => anEndpoint({ id }));
  const { route } = aRoute({ endpoints, maxFanOut: 2 });

  const { deliveries, intake } = await route(aRecord(envelope()));

  expect(deliveries).toEqual([]);
  expect(intake).toMatchObject([{ decision: "refused" }]);
  expect(intake[0]?.reason).toContain("3 endpoints");
});

const two = [anEndpoint({ id: "ep_1" }), anEndpoint({ id: "ep_2" })];
const HTTP_URL = { destination: { url: "http://a.example/", secret: "hush" } };
const PRIVATE_URL = { destination: { url: "https://10.0.0.1/", secret: "a" } };
const open = {
  ...routeOptions.rules,
  url: {
    allowHttp: true,
    allowedCidrs: parseCidrs("10.0.0.0/8"),
    deniedCidrs: [],
  },
};

test.each([
  [
    "fewer endpoints want it",
    {},
    { endpoints: two, maxFanOut: 1 },
    { endpoints: two.slice(1), maxFanOut: 1 },
  ],
  [
    "more endpoints may get it",
    {},
    { endpoints: two, maxFanOut: 1 },
    { endpoints: two },
  ],
  ["http is allowed", HTTP_URL, {}, { rules: open }],
  ["its network is allowed", PRIVATE_URL, {}, { rules: open }],
  [
    "inline destinations are allowed",
    HTTP_URL,
    { rules: { ...open, inline: { kind: "deny" } } },
    { rules: open },
  ],
  [
    "its host is on the list",
    HTTP_URL,
    { rules: { ...open, inline: { kind: "hosts", hosts: [] } } },
    { rules: open },
  ],
  [
    "larger payloads are allowed",
    {},
    { rules: { ...open, maxPayloadBytes: 1 } },
    { endpoints: two },
  ],
] as const)(
  "an event that was refused until %s is told to come under a new id, because its old one counts as accepted after a restart",
  async (_change, over, before, after) => {
    const then = await aRoute(before).route(
      aRecord(envelope(over), { offset: 1 }),
    );
    const restarted = aRoute(after);
    restarted.remember(aRecord(envelope(over), { offset: 1 }));

    const again = await restarted.route(aRecord(envelope(over), { offset: 2 }));
    const renamed = await restarted.route(
      aRecord(envelope({ ...over, id: "evt.2" }), { offset: 3 }),
    );

    expect(then.deliveries).toEqual([]);
    expect(then.intake[0]?.reason).toMatch(/under a new id$/);
    expect(again.intake).toMatchObject([{ decision: "duplicate" }]);
    expect(renamed.intake).toMatchObject([{ decision: "routed" }]);
  },
);

test("an event whose schema never came is told to come under a new id", () => {
  const { stage } = aRoute();

  const unread = stage.unread?.(aRecord("?"), "unknown_schema", "never came");

  const [intake] = (unread ?? []).map(({ value }) => value as Intake);
  expect(intake?.reason).toMatch(/^never came.*under a new id$/);
});

test("intake above 500 deliveries comes in parts, with the payload in the first", async () => {
  const endpoints = Array.from({ length: 1_201 }, (_, index) =>
    anEndpoint({ id: `ep_${index}` }),
  );

  const { deliveries, intake } = await aRoute({ endpoints }).route(
    aRecord(envelope()),
  );

  expect(deliveries).toHaveLength(1_201);
  expect(
    intake.map((one) => [one.part, one.parts, one.deliveries.length]),
  ).toEqual([
    [0, 3, 500],
    [1, 3, 500],
    [2, 3, 201],
  ]);
  expect(intake.map((one) => one.payloadBytes)).toEqual([11, 0, 0]);
  expect(intake.flatMap((one) => one.deliveries)).toHaveLength(1_201);
});

test("a schema that is not known yet makes the record wait, and a header alone marks JSON too", () => {
  const { decode } = aRoute({
    avro: { kind: "unknown_schema", schema: "fingerprint 1" },
  });

  expect(decode(aRecord(Buffer.of(0xc3, 1))).kind).toBe("unknown_schema");
  expect(
    decode(
      aRecord("[]", {
        headers: { "content-type": Buffer.from("application/json; a=b") },
      }),
    ),
  ).toMatchObject({ kind: "decoded", value: { problem: { rule: "object" } } });
  expect(decode(aRecord(` \r\n\t${envelope()}`))).toMatchObject({
    kind: "decoded",
    value: { kind: "event", form: "json" },
  });
});

test("deliveries of a large fan-out are made one by one, as they are taken", async () => {
  const endpoints = Array.from({ length: 501 }, (_, n) =>
    anEndpoint({ id: `ep_${n}`, eventTypes: ["*"] }),
  );
  const { stage, decode } = aRoute({ endpoints });
  const raw = aRecord(envelope());
  const decoded = decode(raw);
  if (decoded.kind !== "decoded") throw new Error(decoded.kind);

  const verdict = await stage.handle({ raw, value: decoded.value }, signal);

  if (verdict.kind !== "emit") throw new Error(verdict.kind);
  expect(Array.isArray(verdict.records)).toBe(false);
  const topics = [...verdict.records].map(({ topic }) => topic);
  expect(topics.slice(0, 501).every((topic) => topic === "deliveries")).toBe(
    true,
  );
  expect(topics.slice(501)).toEqual(["intake", "intake"]);
});

test("what the tenant's event types refuse is invalid with field and rule, in no window, and told to come under a new id", async () => {
  const unfit = {
    field: "payload.total",
    rule: "schema.type",
    message: "must be string",
  };
  const state = { isHeld: true };
  const { route } = aRoute({
    endpoints: [anEndpoint({ id: "ep_a" })],
    types: { problemsOf: () => (state.isHeld ? [unfit] : []) },
  });

  const refused = await route(aRecord(envelope()));
  state.isHeld = false;
  const again = await route(aRecord(envelope(), { offset: 8 }));

  const { field, rule } = unfit;
  expect(refused.deliveries).toEqual([]);
  expect(refused.intake).toMatchObject([
    { decision: "invalid", field, rule, eventId: "evt.1" },
  ]);
  expect(refused.intake[0]?.reason).toMatch(/under a new id$/);
  expect(refused.deadLetters).toMatchObject([
    { reason: "invalid", field, rule, eventType: "order.paid" },
  ]);
  expect(again.intake).toMatchObject([{ decision: "routed" }]);
});

test("a repeat of what was accepted is a duplicate, also where the tenant's event types would refuse it by now", async () => {
  const state = { isHeld: false };
  const unfit = { field: "type", rule: "known", message: "is not known" };
  const { route } = aRoute({
    endpoints: [anEndpoint({ id: "ep_a" })],
    types: { problemsOf: () => (state.isHeld ? [unfit] : []) },
  });

  await route(aRecord(envelope()));
  state.isHeld = true;
  const again = await route(aRecord(envelope(), { offset: 8 }));

  expect(again.intake).toMatchObject([{ decision: "duplicate" }]);
  expect(again.deadLetters).toEqual([]);
});
