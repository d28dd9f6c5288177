import { expect, test } from "@jest/globals";
import { parseSources } from "@postrider/core";
import type { RawRecord } from "../record.ts";
import type { Decoded } from "../stage.ts";
import { createSourceDecoder } from "./source-decoder.ts";

function decoderOf(over: Record<string, unknown> = {}, avro?: Decoded<Buffer>) {
  const { sources, problems } = parseSources({
    sources: [
      {
        topic: "orders",
        format: "json",
        tenantId: { literal: "acme" },
        type: { literal: "order.paid" },
        ...over,
      },
    ],
  });
  expect(problems).toEqual([]);
  return createSourceDecoder(sources[0]!, () => {
    if (avro === undefined) throw new Error("no Avro here");
    return avro;
  });
}

function aRecord(
  value: string | null,
  headers: RawRecord["headers"] = {},
): RawRecord {
  return {
    topic: "orders",
    partition: 2,
    offset: 9,
    timestamp: 0,
    key: null,
    value: value === null ? null : Buffer.from(value),
    headers,
  };
}

test("of a repeated header the first value counts, and no header is made up of what every object has", () => {
  const decode = decoderOf({ id: { header: "constructor" } });
  const [first, second] = [Buffer.from("a"), Buffer.from("b")];

  expect(decode(aRecord("1", { constructor: [first, second] }))).toMatchObject({
    value: { problems: [], event: { id: "orders:a" } },
  });
  expect(decode(aRecord("1"))).toMatchObject({
    value: { problems: [{ field: "id", rule: "required" }] },
  });
});

test.each([null, ""])("a record with the value %j is refused", (value) => {
  expect(decoderOf()(aRecord(value))).toEqual({
    kind: "decoded",
    value: {
      kind: "unparseable",
      problem: {
        field: "",
        rule: "required",
        message: "the record has no value",
      },
    },
  });
});

test("of Avro the JSON is read, for paths and as the payload", () => {
  const json = Buffer.from(`{"a":{"b":1.0}}`);
  const decode = decoderOf(
    { format: "avro", id: { path: "$.a.b" } },
    { kind: "decoded", value: json },
  );

  expect(decode(aRecord("\0"))).toMatchObject({
    value: { event: { id: "orders:1.0", payload: json } },
  });
});

test("only a schema that is not known is a fault of the decoder", () => {
  const format = "avro";
  const waits = { kind: "unknown_schema", schema: "registry id 7" } as const;
  const absent = {
    kind: "unreadable",
    reason: "unknown_schema",
    detail: "no schema 7",
  } as const;

  expect(decoderOf({ format }, waits)(aRecord("\0"))).toEqual(waits);
  expect(decoderOf({ format }, absent)(aRecord("\0"))).toEqual(absent);
  expect(
    decoderOf(
      { format },
      { kind: "unreadable", reason: "unreadable", detail: "cut short" },
    )(aRecord("\0")),
  ).toMatchObject({
    value: { problem: { rule: "format", message: "cut short" } },
  });
});
