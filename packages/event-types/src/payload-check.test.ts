/** What a hostile schema and a hostile payload cost together: steps are counted, not milliseconds. */
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { boundedSchema } from "./bounded-schema.ts";
import { payloadCheck } from "./payload-check.ts";

function checkOf(schema: unknown) {
  const read = boundedSchema(schema);
  if (read.kind === "refused") throw new Error(JSON.stringify(read.problems));
  const check = payloadCheck(read);
  return (payload: unknown): string[] =>
    check(payload).map(({ field, rule }) => `${field}: ${rule}`);
}

const many = <T>(count: number, of: (at: number) => T): T[] =>
  Array.from({ length: count }, (_, at) => of(at));
const TOO_LONG = ["payload: schema.steps"];

const doubling = Object.fromEntries(
  many(30, (at) => [
    `a${at}`,
    { allOf: [{ $ref: `#/$defs/a${at + 1}` }, { $ref: `#/$defs/a${at + 1}` }] },
  ]),
);

test.each<[string, unknown, unknown]>([
  [
    "many rules for each item",
    { items: { allOf: many(450, () => ({ minimum: 0 })) } },
    many(100_000, () => 1),
  ],
  [
    "many types for each item, none of which fits",
    { contains: { anyOf: many(450, () => ({ type: "string" })) } },
    many(100_000, () => 1),
  ],
  [
    "references that double at each level",
    { $ref: "#/$defs/a0", $defs: { ...doubling, a30: { type: "number" } } },
    1,
  ],
  [
    "a pattern that makes others backtrack for ever",
    { pattern: "^((a+)+(b|a+))+$" },
    `${"a".repeat(600_000)}!`,
  ],
  [
    "many counts of fields",
    { allOf: many(450, () => ({ minProperties: 1 })) },
    Object.fromEntries(many(20_000, (at) => [`f${at}`, 1])),
  ],
  [
    "equal items looked for among many",
    { uniqueItems: true },
    many(300_000, (at) => at),
  ],
  [
    "errors that are copied at each reference",
    { contains: { $ref: "#/$defs/a" }, $defs: { a: { type: "string" } } },
    many(20_000, () => 1),
  ],
  [
    "long items whose text each level copies",
    { uniqueItems: true },
    many(1_000, () => 0).reduce<unknown>(
      (inner) => [inner, 1],
      "x".repeat(100_000),
    ),
  ],
  [
    "a long constant compared again and again",
    {
      allOf: many(220, () => ({ not: { $ref: "#/$defs/long" } })),
      $defs: { long: { const: `${"x".repeat(60_000)}y` } },
    },
    `${"x".repeat(60_000)}z`,
  ],
])("%s: the check is given up", (_, schema, payload) => {
  expect(checkOf(schema)(payload)).toEqual(TOO_LONG);
});

test("a small payload may take less than a large one", () => {
  const read = boundedSchema({ items: { allOf: many(90, () => ({})) } });
  if (read.kind === "refused") throw new Error("refused");
  const check = payloadCheck(read);
  const items = many(500, () => 1);

  expect(check(items, 1_001)).toMatchObject([{ rule: "schema.steps" }]);
  expect(check(items, 100_000)).toEqual([]);
});

test("no error carries a long name of the payload until it is told", () => {
  const check = checkOf({
    additionalProperties: { anyOf: many(450, () => ({ type: "string" })) },
  });
  // Were each of the 450 errors to have its own copy, they would fill the memory.
  expect(check({ ["~".repeat(8_000_000)]: 1 })).toHaveLength(5);
});

test.each<[string, unknown, unknown, string]>([
  ["of the schema", { properties: { "a-b": false } }, { "a-b": 1 }, "a-b"],
  ["of the payload", { additionalProperties: false }, { "a/b": 1 }, "a/b"],
  [
    "below one of the payload",
    { additionalProperties: { items: false } },
    { "a.b": [1] },
    "a.b[0]",
  ],
  [
    "below a reference",
    {
      properties: { a: { items: { $ref: "#/$defs/b" } } },
      $defs: { b: { required: ["c"] } },
    },
    { a: [{}] },
    "a[0].c",
  ],
])("a field %s is named", (_, schema, payload, field) => {
  expect(checkOf(schema)(payload)[0]?.split(": ")[0]).toBe(`payload.${field}`);
});

test("a payload that is too deep for the stack is refused, and the next one judged", () => {
  const check = checkOf({ properties: { a: { $ref: "#" } }, type: "object" });
  let payload: object = {};
  for (let level = 0; level < 50_000; level += 1) payload = { a: payload };

  expect(check(payload)).toEqual(TOO_LONG);
  expect(check({ a: {} })).toEqual([]);
  expect(check({ a: 1 })).toEqual(["payload.a: schema.type"]);
});

test("a large payload that is as its schema says passes", () => {
  const check = checkOf({
    type: "array",
    items: {
      type: "object",
      required: ["sku", "count"],
      properties: {
        sku: { type: "string", pattern: "^[a-z0-9-]+$", maxLength: 40 },
        count: { type: "integer", minimum: 1 },
      },
      additionalProperties: false,
    },
  });

  expect(check(many(5_000, (at) => ({ sku: `sku-${at}`, count: 1 })))).toEqual(
    [],
  );
});

test.each<[string, object, unknown, string[]]>([
  [
    "fields in another order",
    {},
    [
      { a: 1, b: 2 },
      { b: 2, a: 1 },
    ],
    ["payload: schema.uniqueItems"],
  ],
  ["a text and a number", {}, ["1", 1], []],
  ["a list and its text", {}, [[1], "[1]"], []],
])("equal items are found: %s", (_, more, items, problems) => {
  expect(checkOf({ uniqueItems: true, ...more })(items)).toEqual(problems);
});

test.each<[string, unknown, string, string[]]>([
  ["a 64-bit integer", { type: "integer" }, "9007199254740993", []],
  [
    "the largest of them",
    { type: "integer", minimum: 0 },
    "18446744073709551615",
    [],
  ],
  ["more than a double holds", { type: "number" }, "1e400", []],
  [
    "a name of Object's own",
    { required: ["toString"] },
    "{}",
    ["payload.toString: schema.required"],
  ],
  [
    "a name that is none",
    { additionalProperties: false },
    '{"__proto__":1}',
    ["payload.__proto__: schema.additionalProperties"],
  ],
  [
    "a prefix",
    { prefixItems: [{ type: "string" }], items: false },
    '["a",1]',
    ["payload: schema.items"],
  ],
])("%s", (_, schema, text, problems) => {
  expect(checkOf(schema)(JSON.parse(text))).toEqual(problems);
});

test("nothing that JSON can say makes a check throw", () => {
  const check = checkOf({
    type: ["object", "array"],
    properties: { a: { enum: [1, { b: [] }] } },
    patternProperties: { "^x": { minLength: 2 } },
    additionalProperties: {
      anyOf: [{ type: "string" }, { uniqueItems: true }],
    },
    items: {
      if: { type: "string", pattern: "\\p{L}" },
      else: { $ref: "#" },
    },
  });
  fc.assert(fc.property(fc.jsonValue(), (payload) => void check(payload)));
});
