import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { compileFilter, MAX_FILTER_BYTES } from "./compile-filter.ts";
import { FilterSubject } from "./filter-subject.ts";

const EVENT = {
  id: "evt_1",
  type: "order.paid",
  tenantId: "acme",
  occurredAt: Date.UTC(2026, 10, 30),
};
const subjectOf = (payload: unknown) =>
  new FilterSubject(
    EVENT,
    Buffer.from(
      typeof payload === "string" ? payload : JSON.stringify(payload),
    ),
  );

function judged(expression: string, payload: unknown = {}) {
  const compiled = compileFilter(expression);
  if (!compiled.ok) throw new Error(compiled.problem.message);
  return compiled.filter.judge(subjectOf(payload));
}

const ORDER = {
  total: 250,
  ratio: 0.5,
  currency: "EUR",
  customer: { country: "DE", vip: true },
  tags: ["new", "web"],
  items: [
    { sku: "A-1", count: 1 },
    { sku: "B-2", count: 3 },
  ],
  note: null,
};

test.each([
  ["payload.total > 100"],
  ["payload.total >= 250 && payload.currency in ['EUR', 'USD']"],
  ["payload.total > 99.5"],
  ["payload.ratio < 1"],
  ["payload.total == 250.0"],
  ["payload.customer.country == 'DE'"],
  ["payload['customer']['country'] == 'DE'"],
  ["payload.customer.vip"],
  ["has(payload.total)"],
  ["has(payload.nope) || payload.total > 1"],
  ["payload.nope == 1 || true"],
  ["payload.note == null"],
  ["'new' in payload.tags"],
  ["'total' in payload"],
  ["payload.items.exists(i, i.sku.startsWith('B-') && i.count > 2)"],
  ["payload.items.all(i, i.count > 0)"],
  ["payload.items.exists_one(i, i.count == 3)"],
  ["payload.items.filter(i, i.count > 1).size() == 1"],
  ["payload.items.map(i, i.sku) == ['A-1', 'B-2']"],
  ["payload.items.map(i, i.count > 1, i.sku) + ['C'] == ['B-2', 'C']"],
  ["size(payload.items) == 2 && size(payload.currency) == 3"],
  ["payload.items[1].count * 2 == 6"],
  ["payload.customer.map(k, k).size() == 2"],
  ["payload.currency.contains('UR') && payload.currency.endsWith('R')"],
  ["string(payload.total) == '250' && int('7') == 7"],
  ["type(payload.total) == int && type(payload.ratio) == double"],
  ["payload.total > 1000 ? false : payload.customer.vip"],
  ["event.type == 'order.paid' && event.tenantId == 'acme'"],
  ["event.id.startsWith('evt_')"],
  ["event.occurredAt > timestamp('2026-01-01T00:00:00Z')"],
  ["event.occurredAt.getFullYear() == 2026"],
])("%s is true of the order", (expression) => {
  expect(judged(expression, ORDER).kind).toBe("passed");
  const { kind } = judged(`!(${expression})`, ORDER);
  expect(kind).toBe("filtered");
});

test("integers of 64 bits are compared exactly", () => {
  const payload = '{"a":9007199254740993,"b":18446744073709551615,"c":1.5}';

  for (const [expression, kind] of [
    ["payload.a == 9007199254740993", "passed"],
    ["payload.a == 9007199254740992", "filtered"],
    ["payload.a - 1 == 9007199254740992", "passed"],
    ["payload.b == 18446744073709551615u", "passed"],
    ["payload.b > payload.a", "passed"],
    ["payload.a > payload.c", "passed"],
  ] as const)
    expect([expression, judged(expression, payload).kind]).toEqual([
      expression,
      kind,
    ]);
});

test.each([
  ["payload.nope > 1", /^column 8, at `\.nope > 1`: no such key$/],
  ["has(payload.a.b)", /no such key$/],
  ["payload.tags[7] == 'x'", /no such element$/],
  ["payload.currency > 3", /: > does not go with \(string, int\)$/],
  ["payload.total", /^the result is a number, neither true nor false$/],
  ["payload.note", /^the result is null/],
  ["payload.total / 0 == 1", /division by zero$/],
  ["payload.total * 9223372036854775807 > 1", /out of range$/],
  ["int(payload.currency) == 1", /cannot be computed$/],
  ["payload[payload.currency] == 1", /no such key$/],
  ["payload.total && true", /^.*type mismatch/],
  ["payload.tags.exists(t, t)", /type mismatch/],
  ["[payload.tags] in payload.items", /no list or map can be looked for$/],
])(
  "%s fails, and says where and why, without a value of the payload",
  (expression, reason) => {
    const result = judged(expression, ORDER);

    expect(result).toMatchObject({
      kind: "failed",
      reason: expect.stringMatching(reason),
    });
    expect(result.kind === "failed" && result.reason).not.toMatch(/EUR|250/);
  },
);

test("a payload that is no JSON fails a filter that reads it, and no other", () => {
  expect(judged("payload.a == 1", "a=1")).toMatchObject({
    kind: "failed",
    reason: "the payload is not JSON: at character 1",
  });
  expect(judged("event.id == 'evt_1'", "a=1")).toMatchObject({
    kind: "passed",
  });
});

test("a time that the publisher did not give is null", () => {
  const compiled = compileFilter("event.occurredAt == null");
  const subject = new FilterSubject(
    { ...EVENT, occurredAt: null },
    Buffer.from("{}"),
  );

  expect(compiled.ok && compiled.filter.judge(subject).kind).toBe("passed");
});

test.each([
  ["", "syntax", /^must be an expression/],
  ["payload.total >", "syntax", /^column 15/],
  [
    "payload.a &&\n  && true",
    "syntax",
    /^(line 1, column 11|line 2, column 3)/,
  ],
  [
    "paylod.total > 1",
    "name",
    /^column 1, at `paylod\.total > 1`: unknown name paylod/,
  ],
  ["true &&\n paylod.a", "name", /^line 2, column 2, at `paylod\.a`/],
  ["event.headers == 1", "name", /event has no field headers/],
  ["x.exists(i, i)", "name", /unknown name x/],
  ["payload.a.exists(payload, payload)", "name", /another name/],
  ["payload.a.exists(i, j == 1)", "name", /unknown name j/],
  ["i == 1 && payload.a.exists(i, i == 1)", "name", /unknown name i/],
  ["lower(payload.a) == 'x'", "function", /unknown function lower/],
  [
    "payload.a.matches('(a+)+$')",
    "function",
    /startsWith, endsWith or contains/,
  ],
  ["has(payload)", "function", /has takes a field: has\(payload\.total\)$/],
  ["payload.a.exists(i)", "function", /exists takes a variable/],
  ["payload.a.map(i.b, i)", "function", /map takes a variable/],
  [
    "payload.a.startsWith() == true",
    "function",
    /startsWith takes 1 arguments, not 0/,
  ],
  ["startsWith(payload.a, 'x')", "function", /written x\.startsWith/],
  ["payload.int() == 1", "function", /written int\(x\)/],
  [
    "event.occurredAt.getHours('Europe/Berlin') == 1",
    "function",
    /getHours takes 0/,
  ],
  ["google.protobuf.Duration{seconds: 1} == 1", "function", /unknown type/],
  ["1 + 2", "type", /never true or false/],
  ["'text'", "type", /never true or false/],
  ["payload.a + 1", "type", /never true or false/],
  ["[payload.a]", "type", /never true or false/],
  ["payload.a.map(i, i)", "type", /never true or false/],
  ["payload.a ? 1 : 2", "type", /never true or false/],
  ["(".repeat(31) + "true" + ")".repeat(31), "size", /brackets nested deeper/],
  ["payload" + ".a".repeat(60), "size", /nested deeper than 50/],
  ["payload.a in [" + "1,".repeat(600) + "1]", "size", /more than 500 parts/],
  [
    "'" + "a".repeat(MAX_FILTER_BYTES) + "' == 'a'",
    "max_bytes",
    /at most 2048/,
  ],
  ["'" + "é".repeat(1_100) + "' == 'a'", "max_bytes", /at most 2048/],
])("%s is refused: %s", (expression, rule, message) => {
  expect(compileFilter(expression)).toEqual({
    ok: false,
    problem: { rule, message: expect.stringMatching(message) },
  });
});

test.each([
  ["event.type == 'a'", false],
  ["event.type == 'payload'", false],
  ["has(payload.a)", true],
  ["payload.a == 1", true],
  ["['a'].exists(p, p in payload)", true],
])("whether %s reads the payload is known: %s", (expression, reads) => {
  const compiled = compileFilter(expression);

  expect(compiled.ok && compiled.filter.readsPayload).toBe(reads);
});

test("the payload is parsed once, by the first filter that reads it", () => {
  const payload = Buffer.from('{"a":1}');
  const subject = new FilterSubject(EVENT, payload);
  const ask = (expression: string) => {
    const compiled = compileFilter(expression);
    return compiled.ok && compiled.filter.judge(subject).kind;
  };

  expect(ask("event.id != ''")).toBe("passed");
  payload.write("2", 5);
  expect(ask("payload.a == 2")).toBe("passed");
  payload.write("3", 5);
  expect(ask("payload.a == 2")).toBe("passed");
});

const ASKED = [
  "payload.a > 1",
  "payload.a == payload.b",
  "has(payload.a.b) && payload.a.b.startsWith('x')",
  "payload.a.exists(x, x > 1 || x == 'y')",
  "payload.map(x, x).size() > 1",
  "payload.a + payload.b == payload",
  "payload.a in payload.b",
  "payload[payload.a] == payload.a[payload.b]",
  "size(payload) > 1",
  "int(payload.a) < double(payload.b)",
  "timestamp(payload.a) > event.occurredAt",
  "duration(payload.a) > duration(payload.b)",
  "string(payload.a).contains(string(payload.b))",
  "bytes(payload.a) < bytes(payload.b)",
  "-payload.a % payload.b == 0",
  "payload.a ? payload.b : payload",
  "type(payload.a) == type(payload.b)",
  "payload",
].map((text) => {
  const compiled = compileFilter(text);
  if (!compiled.ok) throw new Error(compiled.problem.message);
  return compiled.filter;
});

test("whatever the payload, a filter answers and never throws", () => {
  const value = fc.oneof(
    fc.jsonValue(),
    fc.record({ a: fc.jsonValue(), b: fc.jsonValue() }),
  );
  const payload = fc.oneof(
    value.map((each) => Buffer.from(JSON.stringify(each))),
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  );
  fc.assert(
    fc.property(fc.constantFrom(...ASKED), payload, (filter, bytes) => {
      const { kind } = filter.judge(new FilterSubject(EVENT, bytes));

      expect(["passed", "filtered", "failed"]).toContain(kind);
    }),
    { numRuns: 500 },
  );
});

test("whatever the text, it is a filter or is refused, and nothing is thrown", () => {
  const words = fc.constantFrom(
    ..."payload event .a .type has( ( ) [ ] 'x' && || == > in 1 ! ? : .exists(i, i".split(
      " ",
    ),
  );
  const text = fc.oneof(
    fc.array(words, { maxLength: 12 }).map((each) => each.join(" ")),
    fc.string(),
  );
  fc.assert(
    fc.property(text, (given) => {
      const compiled = compileFilter(given);
      if (!compiled.ok) {
        expect(compiled.problem.message).not.toBe("");
        return;
      }
      const { kind } = compiled.filter.judge(subjectOf(ORDER));
      expect(["passed", "filtered", "failed"]).toContain(kind);
    }),
    { numRuns: 500 },
  );
});
