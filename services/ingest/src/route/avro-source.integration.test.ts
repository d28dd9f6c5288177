/** A source in the registry's Avro beside one in JSON: a real Kafka and a real registry. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { SchemaRegistry, SchemaType } from "@kafkajs/confluent-schema-registry";
import { useRegistry, useStack } from "@postrider/testkit";
import { SourceIngest } from "../../fixtures/source-ingest.ts";

const given = useRegistry();
const testWithRegistry = given.isThere ? test : test.skip;

const stack = useStack();
const PARCELS = `${stack.prefix}parcels`;
const ORDERS = `${stack.prefix}orders`;
const ingest = new SourceIngest(stack);
let registry: SchemaRegistry;

beforeAll(async () => {
  if (!given.isThere) return;
  const { url } = given;
  registry = new SchemaRegistry({ host: url });
  await ingest.start(
    ["parcels", "orders"],
    `
sources:
  - topic: ${PARCELS}
    format: avro
    tenantId: {path: $.tenant}
    type: {literal: parcel.moved}
    id: {path: $.id}
    payload: {path: $.parcel}
  - topic: ${ORDERS}
    format: json
    tenantId: {literal: acme}
    type: {literal: order.paid}
`,
    { SCHEMA_REGISTRY_URL: url },
  );
}, 300_000);
afterAll(async () => await ingest.stop());

testWithRegistry(
  "what others' serialisers write is delivered as JSON, what is no Avro becomes a dead letter, and both sources go on",
  async () => {
    const parcel = {
      type: "record",
      name: "Parcel",
      fields: [
        { name: "weight", type: "double" },
        { name: "places", type: { type: "array", items: "string" } },
      ],
    };
    const schema = {
      type: "record",
      name: "Moved",
      namespace: "shop",
      fields: [
        { name: "id", type: "long" },
        { name: "tenant", type: ["null", "string"], default: null },
        { name: "parcel", type: parcel },
      ],
    };
    const { id } = await registry.register(
      { type: SchemaType.AVRO, schema: JSON.stringify(schema) },
      { subject: `${PARCELS}-value` },
    );
    const encoded = async (number: number, tenant: string | null) =>
      await registry.encode(id, {
        id: number,
        tenant,
        parcel: { weight: 2.5, places: ["Bremen", "Köln"] },
      });
    const unknown = Buffer.from("007fffff0002", "hex");

    await ingest.produce(PARCELS, [
      { value: await encoded(7, "acme") },
      { value: await encoded(8, null) },
      { value: "{}" },
      { value: unknown },
      { value: Buffer.concat([await encoded(9, "acme"), Buffer.of(0)]) },
      { value: await encoded(10, "acme") },
    ]);
    await ingest.produce(ORDERS, [{ value: "[1.0]" }]);

    const intake = await ingest.intakeOf(PARCELS, 6);
    expect(
      intake.map(({ decision, eventId, rule }) => [decision, eventId, rule]),
    ).toEqual([
      ["routed", `${PARCELS}:7`, null],
      ["invalid", `${PARCELS}:8`, "required"],
      ["invalid", null, "format"],
      ["invalid", null, "unknown_schema"],
      ["invalid", null, "format"],
      ["routed", `${PARCELS}:10`, null],
    ]);
    const payloads = (await ingest.deliveriesOf(PARCELS, 2)).map(
      ({ payload }) => Buffer.from(payload).toString(),
    );
    const json = `{"weight":2.5,"places":["Bremen","Köln"]}`;
    expect(payloads).toEqual([json, json]);
    expect(
      (await ingest.deadLettersOf(PARCELS, 4)).map(({ reason, detail }) => [
        reason,
        detail,
      ]),
    ).toEqual([
      ["invalid", "tenantId: the path $.tenant leads to null"],
      ["unreadable", expect.stringMatching(/^not Avro in the registry/)],
      ["unknown_schema", expect.stringContaining("2147483392")],
      ["unreadable", `schema ${id}: trailing bytes`],
    ]);
    await ingest.intakeOf(ORDERS, 1);
    expect(await ingest.deliveriesOf(ORDERS, 1)).toMatchObject([
      { payload: Buffer.from("[1.0]") },
    ]);
  },
  300_000,
);
