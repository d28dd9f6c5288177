/** Configured sources on a real Kafka: topics that were there before Postrider. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { useStack, waitFor } from "@postrider/testkit";
import fc from "fast-check";
import kafkajs from "kafkajs";
import { SourceIngest } from "../../fixtures/source-ingest.ts";

const { CompressionTypes, Partitioners } = kafkajs;
const stack = useStack();
const ORDERS = `${stack.prefix}shop.orders`;
const PARCELS = `${stack.prefix}parcels`;
const LATER = `${stack.prefix}later`;
const SOURCES = `
sources:
  - topic: ${ORDERS}
    format: json
    tenantId: {literal: acme}
    type: {path: $.kind}
    id: {path: '$["order id"]'}
    payload: {path: $.body}
  - topic: ${PARCELS}
    format: json
    tenantId: {header: tenant}
    type: {literal: parcel.moved}
  - topic: ${LATER}
    format: json
    tenantId: {literal: acme}
    type: {literal: later.event}
`;

let ingest: SourceIngest;
beforeAll(async () => {
  ingest = new SourceIngest(stack);
  await ingest.start(["shop.orders", "parcels"], SOURCES);
});
afterAll(async () => await ingest.stop());

const degradedOf = (topic: string): string =>
  `postrider_source_degraded{stage="route:${topic}"}`;

test("a topic that does not exist keeps nothing waiting, is told, and is read once it is there", async () => {
  const check = () =>
    ingest.health.ready().find(({ name }) => name === `route:${LATER}.kafka`);
  await waitFor(() => ingest.health.ready().every(({ isOk }) => isOk));
  expect(check()).toMatchObject({
    isOk: true,
    detail: expect.stringMatching(/^degraded: it has not joined/),
  });
  await waitFor(async () => (await ingest.metric(degradedOf(ORDERS))) === 0);
  expect(await ingest.metric(degradedOf(LATER))).toBe(1);

  await stack.createTopics("later");
  await ingest.produce(LATER, [{ value: "{}" }]);

  expect(await ingest.intakeOf(LATER, 1)).toMatchObject([
    { decision: "routed" },
  ]);
  expect(check()).toMatchObject({ detail: "" });
  await waitFor(async () => (await ingest.metric(degradedOf(LATER))) === 0);
});

test("each record becomes an event by its source's fields, its payload byte for byte", async () => {
  const body = `{ "n" : 12345678901234567890, "a":1.0,"a":"\\ud800" }`;
  await ingest.produce(ORDERS, [
    { value: `{"kind":"order.paid","order id":"o-1","body":${body}}` },
    { value: `{"kind":"order.paid","order id":"o-1","body":1}` },
  ]);
  const parcel = `\ufeff[1, 2.50]\n`;
  await ingest.produce(PARCELS, [
    { value: parcel, headers: { tenant: "acme" } },
  ]);

  const orders = await ingest.intakeOf(ORDERS, 2);
  expect(orders.map(({ decision }) => decision)).toEqual([
    "routed",
    "duplicate",
  ]);
  expect(await ingest.deliveriesOf(ORDERS, 1)).toMatchObject([
    {
      eventId: `${ORDERS}:o-1`,
      eventType: "order.paid",
      tenantId: "acme",
      contentType: "application/json",
      payload: Buffer.from(body),
    },
  ]);
  await ingest.intakeOf(PARCELS, 1);
  expect(await ingest.deliveriesOf(PARCELS, 1)).toMatchObject([
    {
      eventId: `${PARCELS}:0:0`,
      eventType: "parcel.moved",
      payload: Buffer.from(parcel),
    },
  ]);
});

test("records that do not fit become dead letters with the field and the rule, and the partition goes on", async () => {
  const before = (await ingest.intakeOf(PARCELS, 1)).length;
  const invalid = `postrider_events_total{stage="route:${PARCELS}",decision="invalid"}`;
  const invalidBefore = (await ingest.metric(invalid)) ?? NaN;
  const tenant = { headers: { tenant: "acme" } };
  await ingest.produce(PARCELS, [
    { value: "{}" },
    { value: "{", ...tenant },
    { value: null, ...tenant },
    { value: "{}", headers: { tenant: "a b" } },
    { value: "{}", ...tenant },
  ]);

  const found = (await ingest.intakeOf(PARCELS, before + 5)).slice(-5);

  expect(
    found.map(({ decision, field, rule }) => [decision, field, rule]),
  ).toEqual([
    ["invalid", "tenantId", "required"],
    ["invalid", "", "json"],
    ["invalid", "", "required"],
    ["invalid", "tenantId", "pattern"],
    ["routed", null, null],
  ]);
  expect(await ingest.metric(invalid)).toBe(invalidBefore + 4);
  // Once the source's `tenantId` in the file is mended, the record counts as accepted after a restart.
  expect(found[0]?.reason).toMatch(/is not there; .* under a new id$/);
  expect(
    (await ingest.deadLettersOf(PARCELS, 4)).map(
      ({ reason, field, detail, rawKid }) => [reason, field, detail, rawKid],
    ),
  ).toEqual([
    ["invalid", "tenantId", "tenantId: the header tenant is not there", "k1"],
    ["unreadable", "", "not valid JSON", "k1"],
    ["unreadable", "", "the record has no value", null],
    ["invalid", "tenantId", expect.stringContaining("must match"), "k1"],
  ]);
});

test("batches in all four codecs are read", async () => {
  const before = (await ingest.intakeOf(PARCELS, 1)).length;
  const codecs = [
    CompressionTypes.GZIP,
    CompressionTypes.Snappy,
    CompressionTypes.LZ4,
    CompressionTypes.ZSTD,
  ];
  for (const codec of codecs) {
    const value = JSON.stringify({ codec, text: "abc".repeat(1_000) });
    await ingest.produce(
      PARCELS,
      [{ value, headers: { tenant: "acme" } }],
      codec,
    );
  }

  await ingest.intakeOf(PARCELS, before + codecs.length);

  // One of the first test, one that was good among those that did not fit.
  const payloads = (await ingest.deliveriesOf(PARCELS, 2 + codecs.length)).map(
    ({ payload }) => Buffer.from(payload).toString(),
  );
  for (const codec of codecs)
    expect(payloads).toContain(
      JSON.stringify({ codec, text: "abc".repeat(1_000) }),
    );
});

test("records of a transaction that was aborted are never delivered; those of a committed one are, once it is", async () => {
  const before = (await ingest.intakeOf(PARCELS, 1)).length;
  const producer = ingest.client.producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    transactionalId: `${stack.prefix}tx`,
    maxInFlightRequests: 1,
    idempotent: true,
  });
  await producer.connect();
  for (const [value, isCommitted] of [
    ['"aborted"', false],
    ['"committed"', true],
    ['"aborted too"', false],
  ] as const) {
    const transaction = await producer.transaction();
    const headers = { tenant: "acme" };
    await transaction.send({
      topic: PARCELS,
      messages: [{ value, headers, partition: 0 }],
    });
    await (isCommitted ? transaction.commit() : transaction.abort());
  }
  await producer.disconnect();
  await ingest.produce(PARCELS, [
    { value: '"last"', headers: { tenant: "acme" } },
  ]);

  await ingest.intakeOf(PARCELS, before + 2);

  const payloads = (await ingest.deliveriesOf(PARCELS, 8))
    .map(({ payload }) => Buffer.from(payload).toString())
    .slice(-2);
  expect(payloads).toEqual(['"committed"', '"last"']);
  expect(await ingest.intakeOf(PARCELS, before + 2)).toHaveLength(before + 2);
});

test("random JSON comes out of Kafka as it went in, byte for byte", async () => {
  const spelled = fc.constantFrom(
    "-0",
    "1.50E+003",
    "9007199254740993",
    '"\\ud800"',
    '{"a":1,"a":1.0}',
    "\ufeff[ ]",
  );
  const space = fc.constantFrom("", " ", "\n", "\t\r\n");
  const text = fc
    .tuple(
      fc.oneof(fc.json({ stringUnit: "binary", depthSize: "small" }), spelled),
      space,
    )
    .map((parts) => parts.join(""));
  const values = fc.sample(text, 200).map((each) => Buffer.from(each));
  const before = (await ingest.deliveriesOf(PARCELS, 8)).length;
  const headers = { tenant: "acme" };

  await ingest.produce(
    PARCELS,
    values.map((value) => ({ value, headers })),
    CompressionTypes.ZSTD,
  );

  const payloads = (await ingest.deliveriesOf(PARCELS, before + values.length))
    .slice(before)
    .map(({ payload }) => Buffer.from(payload));
  expect(payloads.map((each) => each.toString("hex"))).toEqual(
    values.map((each) => each.toString("hex")),
  );
});

test("a topic that is deleted is told, and fails neither the process nor another source; made anew while ingest is stopped, it is read from its beginning", async () => {
  const check = () =>
    ingest.health.ready().find(({ name }) => name === `route:${LATER}.kafka`);
  const before = (await ingest.deliveriesOf(PARCELS, 1)).length;
  const admin = ingest.client.admin();
  await admin.connect();
  await admin.deleteTopics({ topics: [LATER] });
  await ingest.produce(PARCELS, [{ value: "7", headers: { tenant: "acme" } }]);

  await ingest.deliveriesOf(PARCELS, before + 1);
  await waitFor(() => check()?.detail.startsWith("degraded: not a member"));
  expect(await ingest.metric(degradedOf(LATER))).toBe(1);
  expect(
    [...ingest.health.ready(), ...ingest.health.live()].filter(
      ({ isOk }) => !isOk,
    ),
  ).toEqual([]);

  await ingest.stop();
  await waitFor(async () => !(await admin.listTopics()).includes(LATER));
  await admin.disconnect();
  ingest = new SourceIngest(stack);
  await ingest.start(["later"], SOURCES);
  await ingest.produce(LATER, [{ value: "[1]" }, { value: "[2]" }]);

  // The first one is of the topic before.
  const found = await ingest.deliveriesOf(LATER, 3);
  expect(
    found.map(({ payload }) => Buffer.from(payload).toString()).toSorted(),
  ).toEqual(["[1]", "[2]", "{}"]);
});
