import { expect, test } from "@jest/globals";
import { eventTypeProblems } from "./event-type-problems.ts";

const found = (schema: unknown, example: unknown = null): string[] =>
  eventTypeProblems({ schema, example }).map(
    ({ field, rule }) => `${field}: ${rule}`,
  );

const ORDER = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  $id: "https://example.com/order.json",
  title: "An order",
  type: "object",
  required: ["id", "total"],
  additionalProperties: false,
  properties: {
    id: { type: "string", pattern: "^ord_[a-z0-9]+$" },
    total: { type: "number", minimum: 0, multipleOf: 0.01 },
    at: { type: "string", format: "date-time" },
    items: { type: "array", items: { $ref: "#/$defs/item" } },
  },
  $defs: { item: { type: "object", required: ["sku"] } },
};

test("a schema as people write them is accepted, and an example that satisfies it", () => {
  expect(
    found(ORDER, { id: "ord_1", total: 19.99, items: [{ sku: "a" }] }),
  ).toEqual([]);
  expect(found(null, { any: "thing" })).toEqual([]);
  expect(found({ type: "object", children: undefined })).toEqual([
    "schema.children: unknown",
  ]);
});

test.each<[unknown, string[]]>([
  [{ total: 1 }, ["example.id: schema.required"]],
  [{ id: "x", total: 1 }, ["example.id: schema.pattern"]],
  [{ id: "ord_1", total: -1 }, ["example.total: schema.minimum"]],
  [{ id: "ord_1", total: "1" }, ["example.total: schema.type"]],
  [
    { id: "ord_1", total: 1, note: "" },
    ["example.note: schema.additionalProperties"],
  ],
  [
    { id: "ord_1", total: 1, items: [{ sku: "a" }, {}] },
    ["example.items[1].sku: schema.required"],
  ],
  [null, []],
])("the example %j is refused for %j", (example, problems) => {
  expect(found(ORDER, example)).toEqual(problems);
});

const deep = (levels: number): unknown => {
  let value: unknown = {};
  for (let level = 0; level < levels; level += 1) value = { not: value };
  return value;
};

test.each<[string, unknown, string[]]>([
  ["no object", [], ["schema: type"]],
  ["a type that there is not", { type: "text" }, ["schema.type: json_schema"]],
  ["a wrong value", { minimum: "1" }, ["schema.minimum: json_schema"]],
  [
    "a keyword that is not checked",
    { properties: { a: { minimun: 1 } } },
    ["schema.properties.a.minimun: unknown"],
  ],
  [
    "an older draft",
    { $schema: "http://json-schema.org/draft-04/schema#" },
    ["schema.$schema: draft"],
  ],
  ["a part that is no schema", { allOf: [{}, 5] }, ["schema.allOf[1]: type"]],
  [
    "a reference to elsewhere",
    { items: { $ref: "https://example.com/a.json" } },
    ["schema.items.$ref: reference"],
  ],
  [
    "a reference to nothing",
    { $ref: "#/$defs/gone" },
    ["schema.$ref: reference"],
  ],
  [
    "a loop that never goes deeper",
    {
      $ref: "#/$defs/a",
      $defs: {
        a: { allOf: [{ $ref: "#/$defs/b" }] },
        b: { not: { $ref: "#/$defs/a" } },
      },
    },
    ["schema.$defs.a: loop", "schema.$defs.b: loop"],
  ],
  [
    "a pattern that looks back",
    { pattern: "(a)\\1" },
    ["schema.pattern: pattern"],
  ],
  [
    "a pattern that looks ahead",
    { patternProperties: { "(?=a)": {} } },
    ["schema.patternProperties.(?=a): pattern"],
  ],
  [
    "a pattern that is too large",
    { pattern: "(x{100}){100}" },
    ["schema.pattern: pattern"],
  ],
  [
    "too many large patterns",
    { allOf: Array.from({ length: 30 }, () => ({ pattern: "(a{30}){30}" })) },
    ["schema.allOf[20].pattern: pattern"],
  ],
  [
    "too many dependent fields",
    {
      dependentRequired: {
        a: Array.from({ length: 1_000 }, (_, at) => `f${at}`),
      },
    },
    ["schema.dependentRequired: max_names"],
  ],
  ["too many levels", deep(70), ["schema: max_depth"]],
  [
    "too many subschemas",
    { allOf: Array.from({ length: 500 }, () => ({})) },
    ["schema: max_subschemas"],
  ],
  ["too many bytes", { const: "x".repeat(70_000) }, ["schema: max_bytes"]],
])("%s is refused, with its place and its rule", (_, schema, problems) => {
  expect(found(schema)).toEqual(problems);
});

test("a tree may refer to itself", () => {
  const tree = {
    type: "object",
    properties: { inner: { type: "array", items: { $ref: "#" } } },
  };

  expect(found(tree, { inner: [{ inner: [] }] })).toEqual([]);
  expect(found(tree, { inner: [{ inner: 1 }] })).toEqual([
    "example.inner[0].inner: schema.type",
  ]);
});

test("an example is bounded, too", () => {
  expect(found(null, "x".repeat(70_000))).toEqual(["example: max_bytes"]);
  expect(found({}, deep(70))).toEqual(["example: max_depth"]);
  expect(
    found(null, JSON.parse("[".repeat(50_000) + "]".repeat(50_000))),
  ).toEqual(["example: max_depth"]);
});
