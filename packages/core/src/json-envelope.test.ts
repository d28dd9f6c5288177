import { expect, test } from "@jest/globals";
import {
  byteOrderMark,
  jsonSpace,
  jsonText,
} from "@postrider/testkit/json-text";
import fc from "fast-check";
import {
  blankSecret,
  parseJsonEnvelope,
  parseJsonEnvelopes,
  type WebhookEvent,
} from "./index.ts";

const bytesOf = (text: string) => Buffer.from(text, "utf8");
const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString("utf8");

function eventOf(text: string): WebhookEvent {
  const parsed = parseJsonEnvelope(bytesOf(text));
  if (parsed.kind !== "parsed" || parsed.problems.length > 0)
    throw new Error(JSON.stringify(parsed));
  return parsed.event;
}

function problemsOf(text: string): string[] {
  const parsed = parseJsonEnvelope(bytesOf(text));
  return parsed.kind === "parsed"
    ? parsed.problems.map(({ field, rule }) => `${field}: ${rule}`)
    : [`${parsed.problem.field}: ${parsed.problem.rule}`];
}

test.each([
  `{"a":1}`,
  `{ "b" : 12345678901234567890 , "a":1.0, "a":1e2 }`,
  `[ 1,\t2\n]`,
  `"text with \\" and \\\\ and \\u00fc"`,
  `"grüße 🎉 }],"`,
  `{"payload":{"payload":"}"}}`,
  `-1.50E+3`,
  `true`,
  `null`,
  `{}`,
  `[]`,
])("the payload %s is forwarded byte for byte", (payload) => {
  for (const text of [
    `{"id":"1","type":"a","payload":${payload}}`,
    `{ "payload" :\n ${payload} , "type" : "a" }`,
    `{"note":{"payload":[1,"}"]},"payload":${payload}\t}`,
    `{"p\\u0061yload":${payload}}`,
    `\uFEFF{"payload":${payload}}`,
  ])
    expect(textOf(eventOf(text).payload)).toBe(payload);
});

const known =
  /^(id|type|tenantId|occurredAt|contentType|payload|destination|notBefore|expiresAt|headers|traceparent|tracestate)$/;
/** Members of an envelope that mean nothing to it, of any names and values. */
const others = fc
  .array(fc.tuple(fc.string({ unit: "binary" }), jsonSpace, jsonText), {
    maxLength: 3,
  })
  .map((members) =>
    members
      .filter(([name]) => !known.test(name))
      .map(
        ([name, space, value]) => `${JSON.stringify(name)}${space}:${value}`,
      ),
  );
/** An envelope, and the payload that stands in it. */
const anyEnvelope = fc
  .tuple(others, jsonSpace, jsonText, jsonSpace, others)
  .map(([before, space, payload, after, behind]) => ({
    payload,
    text: `{${[...before, `"payload"${space}:${space}${payload}${after}`, ...behind].join(",")}}`,
  }));

test("any JSON as payload, anywhere among any other fields, comes out as its own bytes", () => {
  fc.assert(
    fc.property(
      byteOrderMark,
      jsonSpace,
      anyEnvelope,
      (mark, space, { text, payload }) => {
        const event = eventOf(`${mark}${space}${text}${space}`);

        expect(textOf(event.payload)).toBe(payload);
      },
    ),
    { numRuns: 500 },
  );
});

test("so it does in a batch, each by itself", () => {
  fc.assert(
    fc.property(
      byteOrderMark,
      jsonSpace,
      fc.array(anyEnvelope, { maxLength: 4 }),
      (mark, space, envelopes) => {
        const list = envelopes.map(({ text }) => `${space}${text}`).join(",");

        const parsed = parseJsonEnvelopes(
          bytesOf(`${mark}{"events"${space}:[${list}${space}]}`),
        );

        if (parsed.kind !== "parsed") throw new Error("not parsed");
        expect(parsed.events.map(({ event }) => textOf(event.payload))).toEqual(
          envelopes.map(({ payload }) => payload),
        );
      },
    ),
    { numRuns: 200 },
  );
});

test("of a repeated field the last one counts, as with JSON.parse", () => {
  const event = eventOf(
    `{"id":"first","payload":1,"id":"last","payload":{"n":2}}`,
  );

  expect(event.id).toBe("last");
  expect(textOf(event.payload)).toBe(`{"n":2}`);
});

test("a string payload of another content type is sent as its text", () => {
  const xml = eventOf(
    `{"contentType":"application/xml","payload":"<a>\\u00fc\\n</a>"}`,
  );
  const json = eventOf(
    `{"contentType":"application/vnd.x+json; charset=utf-8","payload":"a"}`,
  );

  expect(textOf(xml.payload)).toBe("<a>ü\n</a>");
  expect(textOf(json.payload)).toBe(`"a"`);
});

test("every field is read, times in both forms, unknown fields ignored", () => {
  const event = eventOf(
    JSON.stringify({
      id: "e1",
      type: "order.paid",
      tenantId: "acme",
      occurredAt: "2026-01-01T00:00:00Z",
      notBefore: 1_767_225_600_001,
      expiresAt: null,
      contentType: "application/json",
      payload: {},
      headers: { "X-A": "b" },
      traceparent: "00-1-2-03",
      tracestate: "a=1",
      destination: { url: "https://a.example/", secret: "s", maxAttempts: 3 },
      colour: "green",
    }),
  );

  expect(event).toEqual({
    id: "e1",
    type: "order.paid",
    tenantId: "acme",
    occurredAt: 1_767_225_600_000,
    notBefore: 1_767_225_600_001,
    expiresAt: null,
    contentType: "application/json",
    payload: bytesOf("{}"),
    headers: { "X-A": "b" },
    traceparent: "00-1-2-03",
    tracestate: "a=1",
    destination: {
      url: "https://a.example/",
      secret: "s",
      sealedSecret: null,
      maxAttempts: 3,
      timeoutSeconds: 30,
      retryDelaysMs: null,
      maxAgeMs: null,
      notRetryableStatuses: [],
    },
  });
});

test.each([
  [{}, { maxAttempts: 5, retryDelaysMs: null }],
  [
    { retryDelaysMs: [1_000, 5_000] },
    { maxAttempts: 3, retryDelaysMs: [1_000, 5_000] },
  ],
  [{ retryDelaysMs: [1_000], maxAttempts: 9 }, { maxAttempts: 9 }],
  [{ retryDelaysMs: "standard-webhooks" }, { maxAttempts: 10 }],
  [
    { maxAgeMs: 60_000, notRetryableStatuses: [404] },
    { maxAgeMs: 60_000, notRetryableStatuses: [404] },
  ],
])(
  "an event with the destination %j has the policy %j",
  (given, destination) => {
    const event = eventOf(JSON.stringify({ payload: 1, destination: given }));

    expect(event.destination).toMatchObject(destination);
  },
);

test.each([
  ["", ": json"],
  ["{", ": json"],
  ["nonsense", ": json"],
  ["[]", ": object"],
  ["null", ": object"],
  [`"text"`, ": object"],
  [`{"payload":1} x`, ": json"],
  [`{}`, "payload: required"],
  [`{"payload":1,"id":5}`, "id: type"],
  [`{"payload":1,"occurredAt":"yesterday"}`, "occurredAt: time"],
  [`{"payload":1,"headers":["a"]}`, "headers: type"],
  [`{"payload":1,"headers":{"a":1}}`, "headers.a: type"],
  [`{"payload":1,"destination":"https://a"}`, "destination: type"],
  [
    `{"payload":1,"destination":{"maxAttempts":1.5}}`,
    "destination.maxAttempts: type",
  ],
  [
    `{"payload":1,"destination":{"retryDelaysMs":"weekly"}}`,
    "destination.retryDelaysMs: preset",
  ],
  [
    `{"payload":1,"destination":{"retryDelaysMs":[1000,"5s"]}}`,
    "destination.retryDelaysMs[1]: type",
  ],
  [
    `{"payload":1,"destination":{"notRetryableStatuses":404}}`,
    "destination.notRetryableStatuses: type",
  ],
  [`{"payload":"\\ud800","contentType":"text/plain"}`, "payload: characters"],
])("%s has the problem %s", (text, problem) => {
  expect(problemsOf(text)).toEqual([problem]);
});

test("all wrong types are reported at once, and what is right is still read", () => {
  const parsed = parseJsonEnvelope(
    bytesOf(`{"id":"e1","type":7,"headers":3,"payload":1}`),
  );

  expect(parsed).toMatchObject({
    kind: "parsed",
    event: { id: "e1", type: "" },
    problems: [{ field: "type" }, { field: "headers" }],
  });
});

test("no bytes make it throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      parseJsonEnvelope(bytes);
      parseJsonEnvelopes(bytes);
    }),
  );
  expect(parseJsonEnvelope(Uint8Array.of(0x7b, 0xff, 0x7d))).toMatchObject({
    kind: "unparseable",
    problem: { rule: "utf8" },
  });
});

test("the names __proto__ and constructor are fields like any other", () => {
  const event = eventOf(
    `{"__proto__":{"id":"x"},"headers":{"__proto__":"y"},"payload":1}`,
  );

  expect(event.id).toBe("");
  expect(Object.keys(event.headers)).toEqual(["__proto__"]);
});

test("a batch is its events, each payload its own bytes", () => {
  const parsed = parseJsonEnvelopes(
    bytesOf(
      `{"events":[{"id":"1","payload":{"a": 1}} , 5,{"payload":2.0,"id":"3"}]}`,
    ),
  );

  if (parsed.kind !== "parsed") throw new Error("not parsed");
  expect(parsed.isBatch).toBe(true);
  expect(parsed.events.map(({ event }) => event.id)).toEqual(["1", "", "3"]);
  expect(parsed.events.map(({ event }) => textOf(event.payload))).toEqual([
    `{"a": 1}`,
    "",
    "2.0",
  ]);
  expect(parsed.events[1]?.problems).toEqual([
    { field: "", rule: "type", message: "must be an object" },
  ]);
});

test("of a batch, no more events are read than the caller asks for", () => {
  const bytes = bytesOf(`{"events":[{"id":"a"},2,{"id":"c"},{"id":"d"}]}`);

  const parsed = parseJsonEnvelopes(bytes, 3);

  expect(parsed.kind === "parsed" && parsed.events).toMatchObject([
    { event: { id: "a" } },
    { problems: [{ message: "must be an object" }] },
    { event: { id: "c" } },
  ]);
});

test("an object with a payload is one event, even where it has events", () => {
  expect(
    parseJsonEnvelopes(bytesOf(`{"payload":1,"events":[]}`)),
  ).toMatchObject({
    kind: "parsed",
    isBatch: false,
    events: [{ event: { id: "" } }],
  });
  expect(parseJsonEnvelopes(bytesOf(`{"events":{}}`))).toMatchObject({
    kind: "unparseable",
    problem: { field: "events", rule: "array" },
  });
});

const blanked = (text: string) => textOf(blankSecret(bytesOf(text)));
test("the secret is blanked and every other byte kept", () => {
  expect(
    blanked(
      `{ "id": 1.0, "destination": {"url":"https://a","secret" : "s\\"}", "maxAttempts":5}, "payload":{"secret":"kept"} }`,
    ),
  ).toBe(
    `{ "id": 1.0, "destination": {"url":"https://a","secret" : "[redacted]", "maxAttempts":5}, "payload":{"secret":"kept"} }`,
  );
});

test("the numbers of a destination's policy are kept", () => {
  const text = `{"destination":{"retryDelaysMs":[1000, 5000],"maxAgeMs":9000,"notRetryableStatuses":[]}}`;

  expect(blanked(text)).toBe(text);
});

test("headers that are not secret keep their bytes", () => {
  expect(
    blanked(
      `{"headers" : { "x-team":"a\\u0062", "authorization": "Bearer hush","x-n":1 },"id":""}`,
    ),
  ).toBe(
    `{"headers" : { "x-team":"a\\u0062", "authorization": "[redacted]","x-n":1 },"id":""}`,
  );
});

test.each([
  `{"destination":{"secret":"hush","secret":"hush"}}`,
  `{"destination":{"secret":"hush"},"destination":{}}`,
  `{"destination":{"s\\u0065cret":"hush"}}`,
  `{"destination":{"secret":{"deep":["hush"]}}}`,
  `{"destination":{"Secret":"hush"}}`,
  `{"destination":"https://u:hush@a"}`,
  `{"destination":["hush"]}`,
  `{"destination":{"url":"https://u:hush@a"}}`,
  `{"destination":{"url":"https://u:hush\\u0040a"}}`,
  `{"destination":{"url":{"secret":"hush"}}}`,
  `{"destination":{"maxAttempts":["hush"]}}`,
  `{"destination":{"retryDelaysMs":[1000,"hush"]}}`,
  `{"secret":"hush"}`,
  `{"Secret":"hush"}`,
  `{"SECRET":{"deep":["hush"]}}`,
  `{"Destination":{"url":"https://a","secret":"hush"}}`,
  `{"d\\u0045stination":{"url":"https://u:hush@a"}}`,
  `{"headers":{"Authorization":"hush"}}`,
  `{"headers":{"x-api-\\u006bey":"hush","x-api-key":"hush"}}`,
  `{"headers":{"x-a":"1"},"headers":{"x-token":["hush"]}}`,
  `{"headers":{"x-a":{"authorization":"hush"}}}`,
  `{"headers":["authorization","hush"]}`,
  `{"headers":"authorization: hush"}`,
  `{"Headers":{"authorization":"hush"}}`,
])("no secret is left in %s", (text) => {
  const left = blanked(text);

  expect(left).not.toContain("hush");
  expect(() => JSON.parse(left) as unknown).not.toThrow();
});

test("very many fields of the wrong type are reported as 20 problems and a count", () => {
  const headers = Array.from({ length: 200_000 }, (_, at) => `"${at}":0`);

  const parsed = parseJsonEnvelope(
    bytesOf(`{"payload":1,"headers":{${headers.join(",")}}}`),
  );

  if (parsed.kind !== "parsed") throw new Error(parsed.kind);
  expect(parsed.problems).toHaveLength(21);
  expect(parsed.problems.at(-1)).toMatchObject({ count: 199_980 });
});
