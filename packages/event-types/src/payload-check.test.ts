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
])("%s: the check is given up", (_, schema, payload) => {
  expect(checkOf(schema)(payload)).toEqual(TOO_LONG);
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
