import { expect, test } from "@jest/globals";
import {
  type Destination,
  type EventRules,
  headerProblems,
  isContentType,
  problemsAt,
  problemsOfParsed,
  secretProblem,
  validateEvent,
  type WebhookEvent,
} from "./index.ts";

const rules: EventRules = {
  maxPayloadBytes: 100,
  url: { allowHttp: false, allowedCidrs: [], deniedCidrs: [] },
  inline: { kind: "allow" },
};

const anEvent = (over: Partial<WebhookEvent> = {}): WebhookEvent => ({
  id: "e1",
  type: "order.paid",
  tenantId: "acme",
  occurredAt: null,
  contentType: "application/json",
  payload: Buffer.from("{}"),
  destination: null,
  notBefore: null,
  expiresAt: null,
  headers: {},
  traceparent: null,
  tracestate: null,
  ...over,
});

const to = (over: Partial<Destination> = {}): Partial<WebhookEvent> => ({
  destination: {
    url: "https://example.com/hook",
    secret: "s",
    sealedSecret: null,
    maxAttempts: 5,
    timeoutSeconds: 30,
    retryDelaysMs: null,
    maxAgeMs: null,
    notRetryableStatuses: [],
    ...over,
  },
});

const found = (event: WebhookEvent, over: Partial<EventRules> = {}) =>
  validateEvent(event, { ...rules, ...over }).map(
    ({ field, rule }) => `${field}: ${rule}`,
  );

test("a good event has no problem", () => {
  expect(found(anEvent())).toEqual([]);
  expect(found(anEvent(to()))).toEqual([]);
  expect(
    found(
      anEvent({
        id: "evt.with/odd:characters and spaces ü",
        payload: Buffer.alloc(100),
        notBefore: 5,
        expiresAt: 6,
        headers: { "X-Trace": "a b" },
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        tracestate: "congo=t61rcWkgMzE",
      }),
    ),
  ).toEqual([]);
});

test.each([
  ["id: required", anEvent({ id: "" })],
  ["id: length", anEvent({ id: "a".repeat(257) })],
  ["id: characters", anEvent({ id: "a\n" })],
  ["id: characters", anEvent({ id: "a\u0085" })],
  ["id: characters", anEvent({ id: "a\u2028" })],
  ["id: characters", anEvent({ id: "\ud800" })],
  ["type: required", anEvent({ type: "" })],
  ["type: dotted", anEvent({ type: "order..paid" })],
  ["type: dotted", anEvent({ type: "a".repeat(257) })],
  ["tenantId: required", anEvent({ tenantId: null })],
  ["tenantId: pattern", anEvent({ tenantId: "" })],
  ["tenantId: pattern", anEvent({ tenantId: "a.b" })],
  ["tenantId: pattern", anEvent({ tenantId: "a".repeat(65) })],
  ["tenantId: pattern", anEvent({ tenantId: "a\n" })],
  ["contentType: syntax", anEvent({ contentType: "json" })],
  ["contentType: syntax", anEvent({ contentType: "a/b\r\nx: y" })],
  ["payload: max_bytes", anEvent({ payload: Buffer.alloc(101) })],
  ["traceparent: syntax", anEvent({ traceparent: "00" })],
  ["tracestate: syntax", anEvent({ tracestate: "a=1\r\nx: y" })],
  ["expiresAt: after_not_before", anEvent({ notBefore: 5, expiresAt: 5 })],
  ["occurredAt: range", anEvent({ occurredAt: -1 })],
  ["expiresAt: range", anEvent({ expiresAt: 1e14 })],
  ["headers.Host: refused_name", anEvent({ headers: { Host: "a" } })],
  ["destination.url: required", anEvent(to({ url: "" }))],
  ["destination.url: scheme", anEvent(to({ url: "http://example.com" }))],
  [
    "destination.url: no_userinfo",
    anEvent(to({ url: "https://a:b@c.example" })),
  ],
  ["destination.url: address", anEvent(to({ url: "https://127.0.0.1/" }))],
  ["destination.secret: required", anEvent(to({ secret: "" }))],
  ["destination.secret: required", anEvent(to({ secret: null }))],
  ["destination.secret: length", anEvent(to({ secret: "whsk_AAAA" }))],
  ["destination.secret: base64", anEvent(to({ secret: "whsec_" }))],
  ["destination.maxAttempts: range", anEvent(to({ maxAttempts: 0 }))],
  ["destination.maxAttempts: range", anEvent(to({ maxAttempts: 21 }))],
  ["destination.timeoutSeconds: range", anEvent(to({ timeoutSeconds: 61 }))],
  ["destination.maxAgeMs: range", anEvent(to({ maxAgeMs: 999 }))],
  ["destination.retryDelaysMs: size", anEvent(to({ retryDelaysMs: [] }))],
  [
    "destination.retryDelaysMs: size",
    anEvent(to({ retryDelaysMs: Array<number>(20).fill(1_000) })),
  ],
  [
    "destination.retryDelaysMs[1]: range",
    anEvent(to({ retryDelaysMs: [1_000, 999] })),
  ],
  [
    "destination.retryDelaysMs[0]: range",
    anEvent(to({ retryDelaysMs: [86_400_001] })),
  ],
  [
    "destination.notRetryableStatuses[0]: range",
    anEvent(to({ notRetryableStatuses: [200] })),
  ],
])("%s (%#)", (problem, event) => {
  expect(found(event)).toEqual([problem]);
});

test("every problem is reported at once", () => {
  expect(
    found(anEvent({ id: "", type: "", ...to({ secret: "", url: "x" }) })),
  ).toHaveLength(4);
});

test("inline destinations may be forbidden, or bound to hosts", () => {
  const event = anEvent(to());

  expect(found(event, { inline: { kind: "deny" } })).toEqual([
    "destination: not_allowed",
  ]);
  expect(
    found(event, { inline: { kind: "hosts", hosts: ["other.example"] } }),
  ).toEqual(["destination.url: not_allowed"]);
  expect(
    found(event, { inline: { kind: "hosts", hosts: ["example.com"] } }),
  ).toEqual([]);
});

test("a sealed secret is accepted in place of a plain one", () => {
  const sealedSecret = {
    id: "sec_1",
    kid: "k1",
    ciphertext: Buffer.alloc(28),
    createdAt: 0,
    expiresAt: null,
  };

  expect(found(anEvent(to({ secret: null, sealedSecret })))).toEqual([]);
});

test.each([
  ["webhook-id", "a", "refused_name"],
  ["Webhook-Signature", "a", "refused_name"],
  ["Content-Length", "1", "refused_name"],
  ["transfer-encoding", "chunked", "refused_name"],
  ["Connection", "close", "refused_name"],
  ["content-type", "a/b", "refused_name"],
  ["x y", "a", "characters"],
  ["x:", "a", "characters"],
  ["", "a", "characters"],
  ["x-a", "a\r\nb: c", "characters"],
  ["x-a", "a\u0000", "characters"],
  ["x-a", "a\tb", "characters"],
  ["x-a", "snow ☃", "characters"],
])("the header %j: %j breaks the rule %s", (name, value, rule) => {
  expect(headerProblems("headers", { [name]: value })).toMatchObject([
    { rule },
  ]);
});

test("a header given twice in different case, and too many headers, are refused", () => {
  expect(headerProblems("headers", { "X-A": "1", "x-a": "2" })).toMatchObject([
    { field: "headers.x-a", rule: "unique" },
  ]);
  const many = Object.fromEntries(
    Array.from({ length: 51 }, (_, index) => [`x-${index}`, ""]),
  );
  expect(headerProblems("headers", many)).toMatchObject([
    { field: "headers", rule: "size" },
  ]);
  expect(headerProblems("headers", { x: "a".repeat(9_000) })).toHaveLength(1);
});

test("no problem repeats a secret or contains control characters", () => {
  expect(secretProblem("secret", "whsec_!hush!")?.message).not.toContain(
    "hush",
  );
  expect(headerProblems("headers", { "a\nb": "c" })[0]?.field).toBe(
    "headers.a?b",
  );
});

test("problems can be placed in a larger whole", () => {
  const message = "m";
  expect(
    problemsAt("events[3]", [
      { field: "id", rule: "required", message },
      { field: "", rule: "type", message },
    ]).map(({ field }) => field),
  ).toEqual(["events[3].id", "events[3]"]);
});

test("media types are distinguished from other text", () => {
  expect(isContentType("application/cloudevents+json; charset=utf-8")).toBe(
    true,
  );
  expect(isContentType("text")).toBe(false);
});

test("a field of the wrong type is reported once, together with the broken rules of other fields", () => {
  const parsed = {
    event: anEvent({ id: "", type: "" }),
    problems: [{ field: "id", rule: "type", message: "must be a string" }],
  };

  expect(
    problemsOfParsed(parsed, rules).map(
      ({ field, rule }) => `${field}: ${rule}`,
    ),
  ).toEqual(["id: type", "type: required"]);
});

/** `count` headers with invalid names. */
const badNames = (count: number) =>
  Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`bad name ${index}`, "a"]),
  );

test("of tens of thousands of broken headers 20 are named and the others counted", () => {
  const problems = validateEvent(
    anEvent({ id: "", headers: badNames(30_000) }),
    rules,
  );

  expect(problems).toHaveLength(21);
  expect(problems[0]).toMatchObject({ field: "id" });
  // 19 headers are named; the size of all of them is a problem, too
  expect(problems.at(-1)).toEqual({
    field: "",
    rule: "more",
    message: "and 29982 more problems",
    count: 29_982,
  });
});

test("a problem is short, however long the name in it", () => {
  const [problem] = headerProblems("headers", { ["\n".repeat(200_000)]: "a" });

  expect(problem?.field).toMatch(/^headers\.\?+…$/);
  expect(problem?.field.length).toBeLessThanOrEqual(130);
});
