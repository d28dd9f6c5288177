import { expect, test } from "@jest/globals";
import avro from "avsc";
import fc from "fast-check";
import { createAvroAsJson } from "./avro-as-json.ts";
import type { WriterSchema } from "./avro-codec.ts";
import { jsonWriterOf } from "./avro-json.ts";

/** The value in the schema, written by avsc, and made JSON by us. */
function jsonOf(schema: unknown, value: unknown): string {
  const type = avro.Type.forSchema(schema as avro.Schema, { wrapUnions: true });
  const write = jsonWriterOf(JSON.stringify(schema));
  return write(type.toBuffer(value), 0).toString();
}

const order = {
  type: "record",
  name: "Order",
  namespace: "shop",
  fields: [
    { name: "id", type: "long" },
    { name: "note", type: ["null", "string"] },
    { name: "lines", type: { type: "array", items: "int" } },
    { name: "tags", type: { type: "map", values: "boolean" } },
    {
      name: "state",
      type: { type: "enum", name: "State", symbols: ["PAID", "OPEN"] },
    },
    { name: "raw", type: "bytes" },
    { name: "hash", type: { type: "fixed", name: "Hash", size: 3 } },
    { name: "parent", type: ["null", "shop.Order"] },
  ],
};

test("a record is written as people write JSON: unions without their branch, bytes as base64", () => {
  const child = {
    id: 1,
    note: null,
    lines: [],
    tags: {},
    state: "OPEN",
    raw: Buffer.of(),
    hash: Buffer.of(0, 1, 2),
    parent: null,
  };
  const value = {
    ...child,
    id: -5,
    note: { string: 'a "ü"' },
    lines: [1, -2],
    tags: { a: true, "b c": false },
    state: "PAID",
    raw: Buffer.of(255, 254),
    parent: { "shop.Order": child },
  };

  expect(jsonOf(order, value)).toBe(
    `{"id":-5,"note":"a \\"ü\\"","lines":[1,-2],"tags":{"a":true,"b c":false},"state":"PAID","raw":"//4=","hash":"AAEC","parent":{"id":1,"note":null,"lines":[],"tags":{},"state":"OPEN","raw":"","hash":"AAEC","parent":null}}`,
  );
});

/** A 64-bit integer as Avro writes it: zigzag, seven bits in a byte. */
function longBytes(value: bigint): Buffer {
  let left = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  const bytes: number[] = [];
  do {
    bytes.push(Number(left & 0x7fn) | (left > 0x7fn ? 0x80 : 0));
    left >>= 7n;
  } while (left > 0n);
  return Buffer.from(bytes);
}

test("a long keeps every digit of its 64 bits", () => {
  const write = jsonWriterOf('"long"');

  fc.assert(
    fc.property(
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      (value) => {
        expect(write(longBytes(value), 0).toString()).toBe(String(value));
      },
    ),
  );
  for (const value of [2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n])
    expect(write(longBytes(value), 0).toString()).toBe(String(value));
});

test("floats and doubles are numbers again that are the same; those that JSON lacks are refused", () => {
  fc.assert(
    fc.property(
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      (value) => {
        expect(Object.is(Number(jsonOf("double", value)), value)).toBe(true);
      },
    ),
  );
  fc.assert(
    fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(
        Object.is(Math.fround(Number(jsonOf("float", value))), value),
      ).toBe(true);
    }),
  );
  expect(jsonOf("float", Math.fround(0.1))).toBe("0.1");
  expect(jsonOf("float", -0)).toBe("-0");
  expect(() => jsonOf("double", NaN)).toThrow("NaN");
  expect(() => jsonOf("float", Infinity)).toThrow("Infinity");
});

test.each([
  [12345n, 2, "123.45"],
  [-5n, 2, "-0.05"],
  [0n, 0, "0"],
  [0n, 3, "0.000"],
  [10n ** 30n, 4, "100000000000000000000000000.0000"],
])("the decimal %s with the scale %s is %s", (unscaled, scale, text) => {
  const length = 16;
  const hex = BigInt.asUintN(length * 8, unscaled).toString(16);
  const bytes = Buffer.from(hex.padStart(length * 2, "0"), "hex");
  const logical = { logicalType: "decimal", precision: 38, scale };
  const fixed = { type: "fixed", name: "D", size: length, ...logical };

  expect(jsonWriterOf(JSON.stringify(fixed))(bytes, 0).toString()).toBe(text);
  expect(
    jsonWriterOf(JSON.stringify({ type: "bytes", ...logical }))(
      Buffer.concat([longBytes(BigInt(length)), bytes]),
      0,
    ).toString(),
  ).toBe(text);
});

test.each([
  ["one decimal with millions of digits", 500_000_000, 1],
  ["many decimals with a thousand digits each", 1_000, 9_000],
])("%s, of which hardly any takes a byte, is refused", (_, scale, count) => {
  const decimal = {
    type: "bytes",
    logicalType: "decimal",
    precision: 2 * scale,
    scale,
  };
  const schema = { type: "array", items: decimal };
  const zeros = Array.from({ length: count }, () => Buffer.alloc(0));

  expect(() => jsonOf(schema, zeros)).toThrow("too long as JSON");
});

test("many symbols with long names, of which each takes one byte, are refused", () => {
  const symbol = "S".repeat(10_000);
  const items = { type: "enum", name: "E", symbols: [symbol] };
  const values = Array.from({ length: 1_000 }, () => symbol);

  expect(() => jsonOf({ type: "array", items }, values)).toThrow(
    "too long as JSON",
  );
});

test("other logical types are what they are stored as, and so is a decimal that is none", () => {
  const time = { type: "long", logicalType: "timestamp-millis" };
  const wrong = {
    type: "bytes",
    logicalType: "decimal",
    precision: 2,
    scale: 3,
  };

  expect(jsonOf(time, 1_800_000_000_000)).toBe("1800000000000");
  expect(jsonOf(wrong, Buffer.of(1))).toBe('"AQ=="');
});

test("what cannot be trusted never throws, and bytes that are cut short or go on are refused", () => {
  const json = JSON.stringify(order);
  const decode = createAvroAsJson(() => ({ kind: "found", json }));
  const read = (value: Buffer | null) =>
    decode({
      topic: "t",
      partition: 0,
      offset: 0,
      timestamp: 0,
      key: null,
      value,
      headers: {},
    });

  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const decoded = read(Buffer.concat([Buffer.of(0, 0, 0, 0, 7), bytes]));
      expect(["decoded", "unreadable"]).toContain(decoded.kind);
      if (decoded.kind === "decoded")
        expect(
          () => JSON.parse(decoded.value.toString()) as unknown,
        ).not.toThrow();
    }),
    { numRuns: 1_000 },
  );
  for (const value of [null, Buffer.of(), Buffer.of(0, 0), Buffer.from("{}")])
    expect(read(value)).toMatchObject({
      kind: "unreadable",
      reason: "unreadable",
    });
  const deep = {
    type: "record",
    name: "R",
    fields: [{ name: "r", type: ["null", "R"] }],
  };
  const deepen = createAvroAsJson(() => ({
    kind: "found",
    json: JSON.stringify(deep),
  }));
  expect(
    deepen({
      topic: "t",
      partition: 0,
      offset: 0,
      timestamp: 0,
      key: null,
      headers: {},
      value: Buffer.concat([
        Buffer.of(0, 0, 0, 0, 7),
        Buffer.alloc(300_000, 2),
        Buffer.of(0),
      ]),
    }),
  ).toMatchObject({
    kind: "unreadable",
    detail: "schema 7: nested too deeply",
  });
});

test.each<[string, WriterSchema, object]>([
  [
    "unknown",
    { kind: "unknown" },
    { kind: "unknown_schema", schema: "registry id 7" },
  ],
  [
    "absent",
    { kind: "absent", detail: "gone" },
    { kind: "unreadable", reason: "unknown_schema", detail: "gone" },
  ],
  [
    "no Avro",
    { kind: "found", json: '{"type":"nothing"}' },
    { kind: "unreadable", reason: "unreadable" },
  ],
])("a schema that is %s", (_, schema, expected) => {
  const decode = createAvroAsJson(() => schema);

  expect(
    decode({
      topic: "t",
      partition: 0,
      offset: 0,
      timestamp: 0,
      key: null,
      value: Buffer.of(0, 0, 0, 0, 7, 2),
      headers: {},
    }),
  ).toMatchObject(expected);
});

test("a few bytes that would be endless JSON are refused: names of fields take no byte in Avro", () => {
  const fields = Array.from({ length: 1_000 }, (_, i) => ({
    name: `a_name_that_takes_no_byte_${i}`,
    type: "null",
  }));
  const item = {
    type: "record",
    name: "Item",
    fields: [{ name: "is", type: "boolean" }, ...fields],
  };
  const write = jsonWriterOf(JSON.stringify({ type: "array", items: item }));
  // Avro counts in zigzag; each item is one byte.
  const count = (items: number) => Buffer.of((items << 1) & 0x7f);
  const of = (items: number) =>
    Buffer.concat([count(items), Buffer.alloc(items), count(0)]);
  const blocks = (times: number) =>
    Buffer.concat([
      ...Array.from({ length: times }, () => of(60).subarray(0, -1)),
      count(0),
    ]);

  expect(JSON.parse(write(of(60), 0).toString())).toHaveLength(60);
  expect(() => write(blocks(20), 0)).toThrow("too long as JSON");
});

test("bytes behind the value, or too few, are refused", () => {
  const write = jsonWriterOf('"long"');

  expect(write(Buffer.of(2), 0).toString()).toBe("1");
  expect(() => write(Buffer.of(2, 2), 0)).toThrow("trailing bytes");
  expect(() => write(Buffer.of(0x80), 0)).toThrow("ends too early");
  expect(() => write(Buffer.alloc(11, 0xff), 0)).toThrow("over 64 bits");
});
