import { expect, test } from "@jest/globals";
import { parseSources, sourceProblemText } from "./parse-sources.ts";

const source = {
  topic: "shop.orders",
  format: "json",
  tenantId: { literal: "acme" },
  type: { path: "$.kind" },
};

const textsOf = (content: unknown): string[] =>
  parseSources(content).problems.map(sourceProblemText);
const problemOf = (over: Record<string, unknown>): string =>
  textsOf({ sources: [{ ...source, ...over }] }).join();

test("each field is a literal, a header or a path; what is left out has its default", () => {
  const { sources, problems } = parseSources({
    sources: [
      source,
      {
        ...source,
        topic: "other",
        format: "avro",
        tenantId: { header: "x-tenant" },
        type: { literal: "order.paid" },
        id: { path: "$.order['id']" },
        payload: { path: "$.order" },
        contentType: "application/vnd.acme+json",
      },
    ],
  });

  expect(problems).toEqual([]);
  expect(sources).toEqual([
    {
      topic: "shop.orders",
      format: "json",
      tenantId: { kind: "literal", text: "acme" },
      type: { kind: "path", path: ["kind"], text: "$.kind" },
      id: null,
      payload: { kind: "path", path: [], text: "$" },
      contentType: "application/json",
    },
    {
      topic: "other",
      format: "avro",
      tenantId: { kind: "header", name: "x-tenant" },
      type: { kind: "literal", text: "order.paid" },
      id: { kind: "path", path: ["order", "id"], text: "$.order['id']" },
      payload: { kind: "path", path: ["order"], text: "$.order" },
      contentType: "application/vnd.acme+json",
    },
  ]);
});

test("every problem is told at once, with the source, the field, what it got and the rule", () => {
  expect(
    textsOf({
      version: 2,
      sources: [
        { ...source, tenantId: "acme", type: { path: "kind" }, extra: 1 },
        { format: "xml", tenantId: { literal: "a b" } },
        source,
        7,
      ],
    }),
  ).toEqual([
    "version is not known here; got 2",
    'source shop.orders: tenantId must be {literal: TEXT}, {header: NAME} or {path: PATH}, with a text (a number in quotes); got "acme"',
    'source shop.orders: type must be a path, such as $ (the whole value), $.order.id, $.lines[0] or $["odd name"]; got {"path":"kind"}',
    "source shop.orders: extra is not known; there are topic, format, tenantId, type, id, payload, contentType; got 1",
    "source sources[1]: topic must be the full name of a topic, at most 200 of A-Z a-z 0-9 . _ -",
    'source sources[1]: format must be json or avro; got "xml"',
    'source sources[1]: tenantId must match [A-Za-z0-9_-]{1,64}; got {"literal":"a b"}',
    "source sources[1]: type must be {literal: TEXT}, {header: NAME} or {path: PATH}",
    'source shop.orders: topic is the topic of an earlier source, too; got "shop.orders"',
    "source sources[3]: must be a source with its fields; got 7",
    "source sources[3]: topic must be the full name of a topic, at most 200 of A-Z a-z 0-9 . _ -",
    "source sources[3]: format must be json or avro",
    "source sources[3]: tenantId must be {literal: TEXT}, {header: NAME} or {path: PATH}",
    "source sources[3]: type must be {literal: TEXT}, {header: NAME} or {path: PATH}",
  ]);
});

test.each([
  [{ id: { literal: "1" } }, /^source shop.orders: id cannot be a literal/],
  [{ id: null }, /^source shop.orders: id must be \{literal/],
  [{ payload: { path: "$", header: "x" } }, /payload must be \{literal/],
  [{ payload: { path: 7 } }, /payload must be \{literal/],
  [{ tenantId: { header: "" } }, /tenantId must name a header/],
  [{ type: { literal: "order paid" } }, /type must be dotted words/],
  [{ contentType: "json" }, /contentType must be a media type/],
  [{ topic: "a/b" }, /topic must be the full name/],
  [{ topic: ".." }, /topic must be the full name/],
  [{ topic: "a".repeat(201) }, /topic must be the full name/],
])("%j is refused", (over, message) => {
  expect(problemOf(over)).toMatch(message);
});

test.each([[null], [[]], ["sources"], [{}], [{ sources: {} }]])(
  "%j is no list of sources",
  (content) => {
    expect(textsOf(content).join()).toMatch(
      /^sources must be there, and be a list of sources/,
    );
  },
);

test("what was got is cut", () => {
  const problem = problemOf({ format: "x".repeat(1_000) });

  expect(problem.length).toBeLessThan(250);
});
