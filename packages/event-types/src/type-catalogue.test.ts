import { expect, test } from "@jest/globals";
import { controlEntry, type EventType } from "@postrider/core";
import { policyEntry, typeEntry } from "./entry-names.ts";
import { TypeCatalogue } from "./type-catalogue.ts";

function aCatalogue(levels: Readonly<Record<string, string>>) {
  const state = { behind: null as string | null };
  const catalogue = new TypeCatalogue(() => state.behind);
  const put = (
    name: string,
    schema: unknown,
    tenantId: string | null = null,
  ) => {
    const eventType: EventType = {
      name,
      tenantId,
      description: "",
      schema: schema === null ? null : JSON.stringify(schema),
      example: null,
      version: 1,
      createdAt: 0,
      updatedAt: 0,
    };
    catalogue.set(typeEntry(tenantId, name), controlEntry({ eventType }));
  };
  for (const [tenantId, level] of Object.entries(levels))
    catalogue.set(
      policyEntry(tenantId),
      controlEntry({ typePolicy: { tenantId, level, updatedAt: 0 } }),
    );
  put("order.paid", { type: "object", required: ["id"] });
  put("order.seen", null);
  put("own.type", { type: "string" }, "acme");
  const judge = (
    tenantId: string,
    type: string,
    payload = "{}",
    contentType = "application/json",
  ): string[] =>
    catalogue
      .problemsOf({
        tenantId,
        type,
        contentType,
        payload: Buffer.from(payload),
      })
      .map(({ field, rule }) => `${field}: ${rule}`);
  return { catalogue, put, judge, state };
}

test.each<[level: string, type: string, payload: string, problems: string[]]>([
  ["off", "any.thing", "no json", []],
  ["off", "order.paid", "{}", []],
  ["of a later version", "any.thing", "{}", []],
  ["known", "any.thing", "{}", ["type: known_type"]],
  ["known", "order.paid", "{}", []],
  ["known", "order", "{}", ["type: known_type"]],
  ["schema", "any.thing", "{}", ["type: known_type"]],
  ["schema", "order.paid", "{}", ["payload.id: schema.required"]],
  ["schema", "order.paid", '{"id":9007199254740993}', []],
  ["schema", "order.paid", "{", ["payload: schema.json"]],
  ["schema", "order.paid", "", ["payload: schema.json"]],
  ["schema", "order.seen", "no json", []],
  ["schema", "own.type", '"text"', []],
])(
  "held to %j, %s with the payload %j: %j",
  (level, type, payload, problems) => {
    const { judge } = aCatalogue({ acme: level });

    expect(judge("acme", type, payload)).toEqual(problems);
  },
);

test("a payload that is not JSON does not satisfy a schema, whatever it says", () => {
  const { judge } = aCatalogue({ acme: "schema" });

  expect(judge("acme", "order.paid", '{"id":1}', "text/plain")).toEqual([
    "contentType: schema.content_type",
  ]);
});

test("a tenant has no other tenant's types, and its own come before every tenant's", () => {
  const { judge, put } = aCatalogue({ acme: "schema", beta: "schema" });
  put("order.paid", { type: "string" }, "acme");

  expect(judge("beta", "own.type", '"text"')).toEqual(["type: known_type"]);
  expect(judge("acme", "order.paid", '"text"')).toEqual([]);
  expect(judge("beta", "order.paid", '"text"')).toEqual([
    "payload: schema.type",
  ]);
  expect(judge("gamma", "any.thing")).toEqual([]);
});

test("events of Postrider's own are held to nothing", () => {
  const { judge } = aCatalogue({ acme: "schema" });

  expect(judge("acme", "postrider.endpoint.disabled")).toEqual([]);
  expect(judge("acme", "postrider")).toEqual(["type: known_type"]);
});

test("a change counts from the next event on: of a schema, of a type, of a policy", () => {
  const { catalogue, judge, put } = aCatalogue({ acme: "schema" });
  expect(judge("acme", "order.paid", '{"id":1}')).toEqual([]);

  put("order.paid", { type: "object", required: ["total"] });
  expect(judge("acme", "order.paid", '{"id":1}')).toEqual([
    "payload.total: schema.required",
  ]);
  catalogue.set(typeEntry(null, "order.paid"), undefined);
  expect(judge("acme", "order.paid", '{"id":1}')).toEqual(["type: known_type"]);
  catalogue.set(policyEntry("acme"), undefined);
  expect(judge("acme", "order.paid", '{"id":1}')).toEqual([]);
});

test("it is behind only while a tenant is held to it", () => {
  const { catalogue, state } = aCatalogue({ acme: "known" });
  state.behind = "not read to its end";

  expect(catalogue.behind()).toBe("not read to its end");
  catalogue.set(policyEntry("acme"), undefined);
  expect(catalogue.behind()).toBeNull();
});

test("a schema that this version cannot check refuses nobody", () => {
  const { judge, put } = aCatalogue({ acme: "schema" });
  put("order.new", { keywordOfALaterVersion: true });

  expect(judge("acme", "order.new", "1")).toEqual([]);
});
