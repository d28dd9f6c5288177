/** A source in Avro, with the registry's framing, against a real registry. */
import { beforeAll, describe, expect, test } from "@jest/globals";
import { SchemaRegistry, SchemaType } from "@kafkajs/confluent-schema-registry";
import { type ParsedEvent, parseSources } from "@postrider/core";
import { registryAccess } from "@postrider/runtime";
import { testEffects, useRegistry, waitFor } from "@postrider/testkit";
import { createRegistryAsJson } from "../schemas/registry-as-json.ts";
import type { RawRecord } from "../record.ts";
import type { Decoder } from "../stage.ts";
import { createSourceDecoder } from "./source-decoder.ts";

const given = useRegistry();
const describeWithRegistry = given.isThere ? describe : describe.skip;

let client: SchemaRegistry;
let decode: Decoder<ParsedEvent>;

beforeAll(async () => {
  if (!given.isThere) return;
  const { url } = given;
  client = new SchemaRegistry({ host: url });
  const effects = testEffects();
  const registry = registryAccess({ schemaRegistryUrl: url }, effects.log)!;
  const { sources } = parseSources({
    sources: [
      {
        topic: "orders",
        format: "avro",
        tenantId: { path: "$.tenant" },
        type: { literal: "order.paid" },
        id: { path: "$.id" },
      },
    ],
  });
  decode = createSourceDecoder(
    sources[0]!,
    await createRegistryAsJson({ registry, ...effects }),
  );
});

const order = {
  type: "record",
  name: "Order",
  namespace: "shop",
  fields: [
    { name: "id", type: "long" },
    { name: "tenant", type: ["null", "string"], default: null },
    {
      name: "total",
      type: { type: "bytes", logicalType: "decimal", precision: 12, scale: 2 },
    },
  ],
};

function rawOf(value: Buffer): RawRecord {
  const place = { topic: "orders", partition: 0, offset: 5, timestamp: 0 };
  return { ...place, key: null, value, headers: {} };
}

async function read(value: Buffer) {
  return await waitFor(() => {
    const decoded = decode(rawOf(value));
    return decoded.kind !== "unknown_schema" && decoded;
  });
}

/** The framing, and Avro: a long beyond 2^53, a union's second branch, two bytes. */
function framed(id: number, more = ""): Buffer {
  const header = Buffer.alloc(5);
  header.writeInt32BE(id, 1);
  // 9007199254740993, "acme", 12.50
  const avro = Buffer.from(`8280808080808020020861636d650404e2${more}`, "hex");
  return Buffer.concat([header, avro]);
}

describeWithRegistry("a source in Avro", () => {
  test("is delivered as JSON, with every digit of a long and of a decimal", async () => {
    const schema = JSON.stringify(order);
    const { id } = await client.register(
      { type: SchemaType.AVRO, schema },
      { subject: "orders-value" },
    );

    const decoded = await read(framed(id));

    expect(decoded).toMatchObject({
      kind: "decoded",
      value: {
        kind: "parsed",
        problems: [],
        event: {
          id: "orders:9007199254740993",
          tenantId: "acme",
          contentType: "application/json",
          payload: Buffer.from(
            `{"id":9007199254740993,"tenant":"acme","total":12.50}`,
          ),
        },
      },
    });
  });

  test("a newer schema of the writer's is looked up by its id", async () => {
    const newer = {
      ...order,
      fields: [
        ...order.fields,
        { name: "vip", type: "boolean", default: false },
      ],
    };
    const { id } = await client.register(
      { type: SchemaType.AVRO, schema: JSON.stringify(newer) },
      { subject: "orders-value" },
    );

    expect(decode(rawOf(framed(id, "01"))).kind).toBe("unknown_schema");
    expect(await read(framed(id, "01"))).toMatchObject({
      value: {
        event: {
          payload: Buffer.from(
            `{"id":9007199254740993,"tenant":"acme","total":12.50,"vip":true}`,
          ),
        },
      },
    });
  });

  test("a schema that is not Avro, or that the registry does not have, is told", async () => {
    const { id } = await client.register(
      {
        type: SchemaType.JSON,
        schema:
          '{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","title":"x"}',
      },
      { subject: "objects-value" },
    );

    expect(await read(framed(id))).toMatchObject({
      kind: "unreadable",
      reason: "unknown_schema",
      detail: `schema ${id} of the registry is not Avro`,
    });
    expect(await read(framed(2_000_000_000))).toMatchObject({
      kind: "unreadable",
      reason: "unknown_schema",
    });
    expect(await read(Buffer.from("{}"))).toMatchObject({
      kind: "decoded",
      value: {
        kind: "unparseable",
        problem: {
          rule: "format",
          message: expect.stringMatching(/^not Avro/),
        },
      },
    });
  });
});
