import { expect, test } from "@jest/globals";
import { parseSources } from "./parse-sources.ts";
import { readSourceRecord } from "./source-event.ts";

interface Given {
  readonly headers?: Readonly<Record<string, string | Buffer>>;
  readonly source?: Readonly<Record<string, unknown>>;
}

function read(
  json: string | Buffer,
  { headers = {}, source = {} }: Given = {},
) {
  const { sources, problems } = parseSources({
    sources: [
      {
        topic: "shop.orders",
        format: "json",
        tenantId: { path: "$.tenant" },
        type: { literal: "order.paid" },
        ...source,
      },
    ],
  });
  expect(problems).toEqual([]);
  return readSourceRecord(sources[0]!, {
    partition: 3,
    offset: 4711,
    json: Buffer.from(json),
    header: (name) =>
      Object.hasOwn(headers, name) ? Buffer.from(headers[name]!) : undefined,
  });
}

function eventOf(json: string | Buffer, given?: Given) {
  const parsed = read(json, given);
  if (parsed.kind !== "parsed") throw new Error(parsed.problem.message);
  expect(parsed.problems).toEqual([]);
  const { payload, ...event } = parsed.event;
  return { ...event, payload: Buffer.from(payload).toString() };
}

function problemOf(json: string | Buffer, given?: Given) {
  const parsed = read(json, given);
  return parsed.kind === "parsed" ? parsed.problems : [parsed.problem];
}

test("without an id the event is known by its record's coordinates, and the payload is the whole value", () => {
  const json = `\ufeff { "tenant" : "acme","n":1.0,"n":12345678901234567890 }\n`;

  expect(eventOf(json)).toMatchObject({
    id: "shop.orders:3:4711",
    type: "order.paid",
    tenantId: "acme",
    contentType: "application/json",
    payload: json,
    destination: null,
  });
});

test("an id is the source's own: the topic comes before it, and a number keeps its digits", () => {
  const json = `{"tenant":7,"order":{"id":12345678901234567890}}`;
  const source = { id: { path: "$.order.id" }, payload: { path: "$.order" } };

  expect(eventOf(json, { source })).toMatchObject({
    id: "shop.orders:12345678901234567890",
    tenantId: "7",
    payload: `{"id":12345678901234567890}`,
  });
});

test("headers give any field, a payload of any bytes included", () => {
  const source = {
    tenantId: { header: "tenant" },
    type: { header: "type" },
    id: { header: "id" },
    payload: { header: "body" },
    contentType: "text/plain",
  };
  const headers = { tenant: "acme", type: "a.b", id: "x-1", body: "grüße" };

  expect(eventOf("[]", { headers, source })).toMatchObject({
    id: "shop.orders:x-1",
    type: "a.b",
    tenantId: "acme",
    contentType: "text/plain",
    payload: "grüße",
  });
});

test("a string is sent as its text where the content type is not JSON, and as it is spelled where it is", () => {
  const json = `{"tenant":"acme","body":"a\\nü"}`;
  const payload = { path: "$.body" };

  expect(
    eventOf(json, { source: { payload, contentType: "text/plain" } }).payload,
  ).toBe("a\nü");
  expect(eventOf(json, { source: { payload } }).payload).toBe(`"a\\nü"`);
});

test.each<[string, string | Buffer, Given, string, string, string]>([
  ["no JSON", "{", {}, "", "json", "not valid JSON"],
  ["two values", "{} {}", {}, "", "json", "not valid JSON"],
  ["no UTF-8", Buffer.of(0x22, 0xff, 0x22), {}, "", "utf8", "not valid UTF-8"],
  [
    "a path to nothing",
    "{}",
    {},
    "tenantId",
    "required",
    "the path $.tenant leads to nothing",
  ],
  [
    "a path into a number",
    "1",
    {},
    "tenantId",
    "required",
    "the path $.tenant leads to nothing",
  ],
  [
    "null",
    `{"tenant":null}`,
    {},
    "tenantId",
    "required",
    "the path $.tenant leads to null",
  ],
  [
    "an empty text",
    `{"tenant":""}`,
    {},
    "tenantId",
    "required",
    "the path $.tenant is empty",
  ],
  [
    "an object",
    `{"tenant":{}}`,
    {},
    "tenantId",
    "type",
    "the path $.tenant must lead to a string or a number",
  ],
  [
    "true",
    `{"tenant":true}`,
    {},
    "tenantId",
    "type",
    "the path $.tenant must lead to a string or a number",
  ],
  [
    "no header",
    `{"tenant":"a"}`,
    { source: { id: { header: "id" } } },
    "id",
    "required",
    "the header id is not there",
  ],
  [
    "an empty header",
    `{"tenant":"a"}`,
    { source: { id: { header: "id" } }, headers: { id: "" } },
    "id",
    "required",
    "the header id is empty",
  ],
  [
    "a header that is not UTF-8",
    `{"tenant":"a"}`,
    { source: { id: { header: "id" } }, headers: { id: Buffer.of(0xff) } },
    "id",
    "utf8",
    "the header id is not UTF-8",
  ],
  [
    "no payload",
    `{"tenant":"a"}`,
    { source: { payload: { path: "$.order" } } },
    "payload",
    "required",
    "the path $.order leads to nothing",
  ],
  [
    "half a surrogate pair as text",
    `{"tenant":"a","b":"\\ud800"}`,
    { source: { payload: { path: "$.b" }, contentType: "text/plain" } },
    "payload",
    "characters",
    "the path $.b holds half of a surrogate pair",
  ],
])(
  "%s is refused with the field and the rule",
  (_, json, given, field, rule, message) => {
    expect(problemOf(json, given)).toEqual([{ field, rule, message }]);
  },
);

test("every field that does not fit is named", () => {
  const source = { id: { path: "$.id" }, type: { path: "$.type" } };

  expect(problemOf("{}", { source }).map(({ field }) => field)).toEqual([
    "id",
    "type",
    "tenantId",
  ]);
});
