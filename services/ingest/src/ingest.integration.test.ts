import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import {
  controlEntry,
  type ControlEntry,
  type DeadLetter,
  type Delivery,
  type Endpoint,
  inlineEndpointId,
  type Intake,
  rawValueAad,
  secretAad,
} from "@postrider/core";
import { policyEntry, typeEntry } from "@postrider/event-types";
import {
  createKafka,
  createSchemas,
  type Kafka,
  type ProducerRecord,
  type RawRecord,
  type Schemas,
  type TopicValues,
} from "@postrider/messaging";
import {
  composeLifecycle,
  createKeyRing,
  type Lifecycle,
  sha256Text,
} from "@postrider/runtime";
import {
  anEndpoint,
  anEvent,
  followTopic,
  testEffects,
  useStack,
  waitFor,
} from "@postrider/testkit";
import { compose, type Ingest } from "./compose.ts";
import { readIngestConfig } from "./config.ts";

const stack = useStack();
const ADMIN_KEY = "admin-key";
const ENCRYPTION_KEY = Buffer.alloc(32, 9);
const keyRing = createKeyRing([{ kid: "k1", key: ENCRYPTION_KEY }]);
const effects = testEffects();

/** Collects the decoded records of one topic as they arrive. */
interface Followed<T> {
  readonly records: { readonly raw: RawRecord; readonly value: T }[];
}

let kafka: Kafka;
let schemas: Schemas;
let ingest: Ingest;
let whole: Lifecycle;
let deliveries: Followed<Delivery>;
let intake: Followed<Intake>;
let deadLetters: Followed<DeadLetter>;
const running: Lifecycle[] = [];

async function start(part: Lifecycle): Promise<void> {
  running.push(part);
  await part.start();
}

function anIngest(env: Record<string, string> = {}): Ingest {
  const config = readIngestConfig({
    KAFKA_BROKERS: stack.brokers.join(","),
    POSTRIDER_TOPIC_PREFIX: stack.prefix,
    POSTRIDER_ADMIN_KEY: ADMIN_KEY,
    POSTRIDER_ENCRYPTION_KEYS: `k1:${ENCRYPTION_KEY.toString("base64")}`,
    POSTRIDER_SESSION_TIMEOUT: `${stack.sessionTimeoutMs}ms`,
    POSTRIDER_UNKNOWN_SCHEMA_WAIT: "1s",
    POSTRIDER_PORT: "0",
    POSTRIDER_MAX_FAN_OUT: "600",
    ...env,
  });
  return compose(config, testEffects());
}

async function follow<T extends keyof TopicValues>(
  topic: T,
): Promise<Followed<TopicValues[T]>> {
  const decode = schemas.decoderOf(topic);
  const followed: Followed<TopicValues[T]> = { records: [] };
  await start(
    followTopic(stack, { kafka, name: topic }, (raw) => {
      const decoded = decode(raw);
      if (decoded.kind !== "decoded") throw new Error(decoded.kind);
      followed.records.push({ raw, value: decoded.value });
    }),
  );
  return followed;
}

/** `topic` is the name without the prefix. */
async function produce(records: readonly ProducerRecord[]): Promise<void> {
  const producer = await kafka.createProducer();
  await producer.sendBatch(
    records.map((one) => ({ ...one, topic: stack.prefix + one.topic })),
  );
  await producer.disconnect();
}

const event = (value: Buffer | string | null, partition = 0) => ({
  topic: "events",
  partition,
  key: Buffer.from("key"),
  value: typeof value === "string" ? Buffer.from(value) : value,
});

const envelope = (id: string, over: Record<string, unknown> = {}) =>
  JSON.stringify({
    id,
    type: "order.paid",
    tenantId: "acme",
    payload: {},
    ...over,
  });

async function putEndpoints(endpoints: readonly Endpoint[]): Promise<void> {
  await produce(
    endpoints.map((value) => ({
      topic: "endpoints",
      partition: 0,
      key: Buffer.from(value.id),
      value: schemas.encode({ topic: "endpoints", key: value.id, value }),
    })),
  );
}

/** Waits until the list has this many entries. */
const atLeast = <T>(count: number, list: () => T[]): Promise<T[]> =>
  waitFor(() => (list().length >= count ? list() : undefined));

const intakesOf = (eventId: string) =>
  intake.records
    .map(({ value }) => value)
    .filter((one) => one.eventId === eventId);
/** Every part of an event's intake. */
const intakeOf = (eventId: string) =>
  waitFor(
    () => {
      const rows = intakesOf(eventId);
      return rows.length >= (rows[0]?.parts ?? 1) ? rows : undefined;
    },
    { what: `intake of ${eventId}` },
  );
const deliveriesOf = (eventId: string) =>
  deliveries.records.filter(({ value }) => value.eventId === eventId);

beforeAll(async () => {
  await stack.createTopics(
    "events",
    "deliveries",
    "intake",
    "dead-letters",
    "endpoints",
    "control",
    "schemas",
  );
  kafka = createKafka(
    { brokers: stack.brokers, clientId: "postrider-test" },
    effects,
  );
  schemas = createSchemas({ kafka, prefix: stack.prefix, ...effects });
  await start(schemas);
  await putEndpoints([
    anEndpoint({ id: "ep_all" }),
    anEndpoint({ id: "ep_off", state: "disabled" }),
    anEndpoint({ id: "ep_user", eventTypes: ["user.*"] }),
    anEndpoint({ id: "ep_plain", tenantId: "picky" }),
    anEndpoint({
      id: "ep_dear",
      tenantId: "picky",
      filter: "payload.order.id == 9007199254740993 && payload.total > 100",
    }),
    anEndpoint({
      id: "ep_fails",
      tenantId: "picky",
      filter: "payload.order.nope == 1",
    }),
    anEndpoint({
      id: "ep_never",
      tenantId: "never",
      filter: "event.type == 'order.gone'",
    }),
    ...Array.from({ length: 550 }, (_, index) =>
      anEndpoint({ id: `ep_many_${index}`, tenantId: "many" }),
    ),
    ...Array.from({ length: 601 }, (_, index) =>
      anEndpoint({ id: `ep_toomany_${index}`, tenantId: "toomany" }),
    ),
  ]);
  ingest = anIngest();
  whole = composeLifecycle(ingest.parts, effects);
  await start(whole);
  [deliveries, intake, deadLetters] = await Promise.all([
    follow("deliveries"),
    follow("intake"),
    follow("dead-letters"),
  ]);
});

afterAll(async () => {
  for (const part of running.toReversed()) await part.stop(Date.now() + 8_000);
});

test("it is ready once the table is read, the group joined and the door open", async () => {
  const { ready, live } = ingest.health;

  await waitFor(() => [...ready(), ...live()].every(({ isOk }) => isOk));
  expect(ready().map((check) => check.name)).toContain("door");
});

test("a JSON envelope reaches every endpoint that wants it, its payload byte for byte", async () => {
  const payload = `{ "n" : 12345678901234567890, "a":1.0,"a":"grüße" }`;
  const text = `{"payload":${payload},"id":"json.1","type":"order.paid","tenantId":"acme"}`;

  await produce([event(text)]);

  const rows = await intakeOf("json.1");
  expect(rows).toMatchObject([
    {
      decision: "routed",
      deliveries: [{ endpointId: "ep_all" }],
      disabledEndpointIds: ["ep_off"],
      noMatchCount: 1,
      sourceTopic: `${stack.prefix}events`,
    },
  ]);
  const [made] = await atLeast(1, () => deliveriesOf("json.1"));
  expect(made?.raw.key?.toString()).toBe("ep_all");
  expect(Buffer.from(made!.value.payload).toString()).toBe(payload);
  expect(made?.value.deliveryId).toBe(rows[0]?.deliveries[0]?.deliveryId);
  expect(made?.value.receivedAt).toBeGreaterThan(Date.now() - 60_000);
  expect(deliveriesOf("json.1")).toHaveLength(1);
});

test("a filter passes, leaves out or fails: the event goes on to the others, and intake says which it was", async () => {
  const order = (id: string, orderId: string, total: number) =>
    event(
      `{"id":"${id}","type":"order.paid","tenantId":"picky","payload":{"order":{"id":${orderId}},"total":${total}}}`,
    );
  const before = deadLetters.records.length;

  await produce([
    order("picky.1", "9007199254740993", 101),
    order("picky.2", "9007199254740992", 101),
    event(
      envelope("picky.3", {
        tenantId: "picky",
        contentType: "text/plain",
        payload: "no JSON",
      }),
    ),
    event(envelope("never.1", { tenantId: "never" })),
    order("picky.4", "9007199254740993", 250),
  ]);

  const last = await intakeOf("picky.4");
  const noKey = {
    endpointId: "ep_fails",
    reason: "column 14, at `.nope == 1`: no such key",
  };
  const noJson = "the payload is not JSON: at character 1";
  expect([
    ...intakesOf("picky.1"),
    ...intakesOf("picky.2"),
    ...intakesOf("picky.3"),
    ...intakesOf("never.1"),
    ...last,
  ]).toMatchObject([
    {
      decision: "routed",
      filteredEndpointIds: ["ep_fails"],
      failedFilters: [noKey],
      rule: "filter_failed",
    },
    {
      decision: "routed",
      filteredEndpointIds: ["ep_dear", "ep_fails"],
      failedFilters: [noKey],
    },
    {
      decision: "routed",
      filteredEndpointIds: ["ep_dear", "ep_fails"],
      failedFilters: [
        { endpointId: "ep_dear", reason: noJson },
        { endpointId: "ep_fails", reason: noJson },
      ],
    },
    {
      decision: "filtered",
      filteredEndpointIds: ["ep_never"],
      failedFilters: [],
      rule: null,
    },
    { decision: "routed", failedFilters: [noKey] },
  ]);
  await atLeast(2, () => deliveriesOf("picky.4"));
  for (const [id, endpointIds] of [
    ["picky.1", ["ep_dear", "ep_plain"]],
    ["picky.2", ["ep_plain"]],
    ["picky.3", ["ep_plain"]],
    ["never.1", []],
    ["picky.4", ["ep_dear", "ep_plain"]],
  ] as const)
    expect([
      id,
      deliveriesOf(id)
        .map(({ value }) => value.endpointId)
        .toSorted(),
    ]).toEqual([id, endpointIds]);
  expect(deadLetters.records).toHaveLength(before);
});

test("an Avro WebhookEvent does the same, and so does a text payload", async () => {
  const value = anEvent({
    id: "avro.1",
    contentType: "text/plain",
    payload: new Uint8Array(Buffer.from("plain ✓")),
  });
  await produce([
    event(schemas.encode({ topic: "events", key: null, value })),
    event(
      envelope("text.1", { contentType: "text/plain", payload: "plain ✓" }),
      1,
    ),
  ]);

  for (const id of ["avro.1", "text.1"]) {
    expect(await intakeOf(id)).toMatchObject([{ decision: "routed" }]);
    const [made] = await atLeast(1, () => deliveriesOf(id));
    expect(Buffer.from(made!.value.payload).toString()).toBe("plain ✓");
    expect(made?.value.contentType).toBe("text/plain");
  }
});

test("an inline destination is delivered with its secret sealed", async () => {
  const url = "https://callback.example/hook";
  await produce([
    event(envelope("inline.1", { destination: { url, secret: "hush" } })),
  ]);

  await intakeOf("inline.1");
  const [made] = await atLeast(1, () => deliveriesOf("inline.1"));

  const endpointId = inlineEndpointId(sha256Text, "acme", url);
  const [secret] = made!.value.inline!.secrets;
  expect(made?.raw.key?.toString()).toBe(endpointId);
  expect(
    keyRing.open(secret!, secretAad("acme", endpointId, secret!.id)).toString(),
  ).toBe("hush");
  expect(made?.raw.value?.includes("hush")).toBe(false);
});

test("the same event again is a duplicate; refused and unmatched events say why", async () => {
  await produce([
    event(envelope("twice.1")),
    event(envelope("twice.1")),
    event(envelope("nobody.1", { tenantId: "nobody" })),
    event(envelope("refused.1", { tenantId: "toomany" })),
  ]);

  const rows = await atLeast(2, () => intakesOf("twice.1"));
  expect(rows.map((row) => row.decision)).toEqual(["routed", "duplicate"]);
  expect(await intakeOf("nobody.1")).toMatchObject([{ decision: "no_match" }]);
  expect(await intakeOf("refused.1")).toMatchObject([
    { decision: "refused", deliveries: [] },
  ]);
  expect(await atLeast(1, () => deliveriesOf("twice.1"))).toHaveLength(1);
});

test("a wide fan-out reaches every endpoint once, and intake lists them in parts", async () => {
  await produce([event(envelope("wide.1", { tenantId: "many" }), 1)]);

  const rows = await intakeOf("wide.1");
  const made = await atLeast(550, () => deliveriesOf("wide.1"));

  expect(
    rows.map((row) => row.deliveries.length).toSorted((a, b) => a - b),
  ).toEqual([50, 500]);
  expect(new Set(made.map(({ value }) => value.endpointId)).size).toBe(550);
});

test("an endpoint that is added, changed or deleted counts from then on", async () => {
  const tenantId = "late";
  let attempt = 0;
  const decisionNow = async () => {
    const id = `late.${attempt++}`;
    await produce([event(envelope(id, { tenantId }))]);
    return (await intakeOf(id))[0]?.decision;
  };
  expect(await decisionNow()).toBe("no_match");

  await putEndpoints([anEndpoint({ id: "ep_late", tenantId })]);
  await waitFor(async () => (await decisionNow()) === "routed");
  await produce([
    {
      topic: "endpoints",
      partition: 0,
      key: Buffer.from("ep_late"),
      value: null,
    },
  ]);

  await waitFor(async () => (await decisionNow()) === "no_match");
});

test("garbage never stops a partition: each record is a sealed dead letter and an intake row", async () => {
  const garbage = Array.from({ length: 200 }, (_, index) =>
    // no Avro framing; a missing schema has its own test
    Buffer.concat([Buffer.of(0xff), randomBytes(index)]),
  );
  const broken = [
    null,
    Buffer.alloc(0),
    Buffer.from("{"),
    Buffer.from("[]"),
    Buffer.of(0xc3, 0x01),
    Buffer.of(0x00, 1, 2),
  ];
  const before = deadLetters.records.length;
  const all = [...garbage, ...broken];

  await produce(all.map((value, index) => event(value, index % 2)));
  await produce([event(envelope("after.0"), 0), event(envelope("after.1"), 1)]);

  for (const id of ["after.0", "after.1"])
    expect(await intakeOf(id)).toMatchObject([{ decision: "routed" }]);
  const letters = await atLeast(all.length, () =>
    deadLetters.records.slice(before),
  );
  expect(letters).toHaveLength(all.length);
  for (const { value } of letters) {
    expect(value).toMatchObject({ reason: "unreadable", stage: "route" });
    if (value.rawValue === null) continue;
    const at = {
      topic: value.recordTopic,
      partition: value.recordPartition,
      offset: value.recordOffset,
    };
    const sealed = { kid: value.rawKid!, ciphertext: value.rawValue };
    expect(keyRing.open(sealed, rawValueAad(at))).toHaveLength(value.rawBytes);
  }
  const invalid = await atLeast(all.length, () =>
    intake.records.filter(({ value }) => value.decision === "invalid"),
  );
  expect(invalid).toHaveLength(all.length);
});

test("a schema that never comes lets the others pass, and ends as a sealed dead letter and an intake row", async () => {
  const unknown = Buffer.concat([Buffer.of(0xc3, 0x01), randomBytes(40)]);
  await produce([event(unknown), event(envelope("beside.1"))]);

  expect(await intakeOf("beside.1")).toMatchObject([{ decision: "routed" }]);
  const letter = await waitFor(() =>
    deadLetters.records.find(({ value }) => value.reason === "unknown_schema"),
  );

  const { rawKid, rawValue, recordTopic, recordPartition, recordOffset } =
    letter.value;
  const aad = rawValueAad({
    topic: recordTopic,
    partition: recordPartition,
    offset: recordOffset,
  });
  expect(keyRing.open({ kid: rawKid!, ciphertext: rawValue! }, aad)).toEqual(
    unknown,
  );
  const row = await waitFor(() =>
    intake.records.find(({ value }) => value.rule === "unknown_schema"),
  );
  expect(row.value).toMatchObject({
    decision: "invalid",
    tenantId: null,
    eventId: null,
    payloadBytes: unknown.length,
    sourceTopic: recordTopic,
    sourcePartition: recordPartition,
    sourceOffset: recordOffset,
  });
});

test("a broken rule is a dead letter with the secret blanked, naming field and rule", async () => {
  await produce([
    event(
      envelope("bad.1", {
        destination: { url: "https://10.0.0.1/", secret: "hush" },
      }),
    ),
  ]);

  expect(await intakeOf("bad.1")).toMatchObject([
    { decision: "invalid", field: "destination.url", rule: "address" },
  ]);
  const { value } = await waitFor(() =>
    deadLetters.records.find((one) => one.value.eventId === "bad.1"),
  );
  expect(value).toMatchObject({
    reason: "invalid",
    field: "destination.url",
    rule: "address",
  });
  const kept = Buffer.from(value.rawValue!).toString();
  expect(kept).toContain("bad.1");
  expect(kept).not.toContain("hush");
});

test("an event that the door accepts is routed, and sent again it is a duplicate", async () => {
  const post = () =>
    fetch(`${ingest.door!.url()}/v1/events`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${ADMIN_KEY}`,
        "content-type": "application/json",
      },
      body: JSON.stringify({
        events: [
          {
            id: "door.1",
            type: "order.paid",
            tenantId: "acme",
            payload: { n: 1 },
          },
          {
            id: "door.2",
            type: "a",
            tenantId: "acme",
            payload: 1,
            destination: { url: "https://callback.example/", secret: "hush" },
          },
        ],
      }),
    });

  const response = await post();

  expect(response.status).toBe(202);
  expect(await response.json()).toEqual({
    events: [
      { id: "door.1", tenantId: "acme" },
      { id: "door.2", tenantId: "acme" },
    ],
  });
  expect(await intakeOf("door.1")).toMatchObject([{ decision: "routed" }]);
  expect(await intakeOf("door.2")).toMatchObject([{ decision: "routed" }]);
  const [made] = await atLeast(1, () => deliveriesOf("door.2"));
  const [secret] = made!.value.inline!.secrets;
  const aad = secretAad("acme", made!.value.endpointId, secret!.id);
  expect(keyRing.open(secret!, aad).toString()).toBe("hush");

  expect((await post()).status).toBe(202);

  const rows = await atLeast(2, () => intakesOf("door.1"));
  expect(rows.map((row) => row.decision).toSorted()).toEqual([
    "duplicate",
    "routed",
  ]);
});

/** As control writes them; null: the record's tombstone. */
async function putControl(
  records: Readonly<Record<string, Partial<ControlEntry> | null>>,
): Promise<void> {
  await produce(
    Object.entries(records).map(([name, of]) => ({
      topic: "control",
      partition: 0,
      key: Buffer.from(name),
      value:
        of === null
          ? null
          : schemas.encode({
              topic: "control",
              key: name,
              value: controlEntry(of),
            }),
    })),
  );
}

test("a tenant's events are held to the catalogue, at the door and on the topic, and other tenants' are not", async () => {
  const tenantId = "held";
  await putEndpoints([anEndpoint({ id: "ep_held", tenantId })]);
  const eventType = {
    name: "order.paid",
    tenantId: null,
    description: "",
    schema:
      '{"type":"object","required":["id"],"properties":{"id":{"type":"integer"}}}',
    example: null,
    version: 1,
    createdAt: 0,
    updatedAt: 0,
  };
  await putControl({
    [typeEntry(null, "order.paid")]: { eventType },
    [policyEntry(tenantId)]: {
      typePolicy: { tenantId, level: "schema", updatedAt: 0 },
    },
  });
  const post = async (body: string) => {
    const answer = await fetch(`${ingest.door!.url()}/v1/events`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${ADMIN_KEY}`,
        "content-type": "application/json",
      },
      body,
    });
    const { type, errors } = (await answer.json()) as Record<string, unknown>;
    return { status: answer.status, type, errors };
  };
  let tried = 0;
  await waitFor(async () => {
    const { status } = await post(
      envelope(`held.try.${tried++}`, { tenantId }),
    );
    return status === 422;
  });
  const unfit =
    '{"id":"held.bad","type":"order.paid","tenantId":"held","payload":{"id":"1"}}';
  const fit =
    '{"id":"held.good","type":"order.paid","tenantId":"held","payload": {"id":9007199254740993} }';

  expect(await post(unfit)).toEqual({
    status: 422,
    type: "urn:postrider:problem:unfit-event",
    errors: [
      { field: "payload.id", rule: "schema.type", message: "must be integer" },
    ],
  });
  expect(
    await post(
      `{"events":[${fit},{"id":"held.2","type":"order.gone","tenantId":"held","payload":1}]}`,
    ),
  ).toMatchObject({
    status: 422,
    errors: [{ field: "events[1].type", rule: "known_type" }],
  });
  expect((await post(fit)).status).toBe(202);

  await produce([
    event(unfit),
    event(envelope("held.unknown", { tenantId, type: "order.gone" })),
    event(fit.replace("held.good", "held.after")),
    event(envelope("held.other", { type: "order.gone" })),
  ]);

  expect(await intakeOf("held.bad")).toMatchObject([
    {
      decision: "invalid",
      field: "payload.id",
      rule: "schema.type",
      reason: expect.stringContaining("publish it again under a new id"),
    },
  ]);
  expect(await intakeOf("held.unknown")).toMatchObject([
    { decision: "invalid", field: "type", rule: "known_type" },
  ]);
  for (const id of ["held.good", "held.after"]) {
    expect(await intakeOf(id)).toMatchObject([{ decision: "routed" }]);
    const [made] = await atLeast(1, () => deliveriesOf(id));
    expect(Buffer.from(made!.value.payload).toString()).toBe(
      '{"id":9007199254740993}',
    );
  }
  expect(await intakeOf("held.other")).toMatchObject([{ decision: "routed" }]);
  const letters = await atLeast(2, () =>
    deadLetters.records.filter(({ value }) =>
      ["held.bad", "held.unknown"].includes(value.eventId ?? ""),
    ),
  );
  expect(
    letters.map(({ value }) => [value.eventId, value.reason, value.rule]),
  ).toEqual([
    ["held.bad", "invalid", "schema.type"],
    ["held.unknown", "invalid", "known_type"],
  ]);

  await putControl({ [policyEntry(tenantId)]: null });
  await waitFor(async () => (await post(unfit)).status === 202);
});

test("duplicates are still recognised by the process that takes over", async () => {
  await produce([event(envelope("over.1"))]);
  await intakeOf("over.1");
  await whole.stop(Date.now() + 8_000);

  ingest = anIngest({ POSTRIDER_INGEST_ROLES: "route" });
  await start(composeLifecycle(ingest.parts, effects));
  await produce([event(envelope("over.1")), event(envelope("fresh.1"))]);

  await intakeOf("fresh.1");
  const rows = await atLeast(2, () => intakesOf("over.1"));
  expect(rows.map((row) => row.decision)).toEqual(["routed", "duplicate"]);
  expect(ingest.door).toBeNull();
});
