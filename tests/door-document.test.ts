/** The door reads bodies by itself, so that payloads keep their bytes. Here its document is held against what it takes and refuses. */
import { expect, test } from "@jest/globals";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describedApis } from "../scripts/openapi-of.ts";
import { readRequest } from "../services/ingest/src/door/read-request.ts";

const document = describedApis().door.document();
const ajv = new Ajv2020({ strict: false });
ajv.addFormat("date-time", /^\d{4}-\d\d-\d\dT/);
ajv.addSchema(JSON.parse(JSON.stringify(document)) as object, "api");
const isDocumented = ajv.compile({
  $ref: "api#/paths/~1v1~1events/post/requestBody/content/application~1json/schema",
});

function isTaken(body: unknown): boolean {
  const read = readRequest(
    {
      body: Buffer.from(JSON.stringify(body)),
      tenantId: null,
      idempotencyKey: undefined,
      traceparent: undefined,
      tracestate: undefined,
    },
    {
      maxPayloadBytes: 1_000,
      url: { allowHttp: false, allowedCidrs: [], deniedCidrs: [] },
      inline: { kind: "allow" },
    },
  );
  return read.kind === "events";
}

const event = { id: "e", type: "order.paid", tenantId: "acme", payload: {} };
const to = (more: object) => ({
  ...event,
  destination: { url: "https://a.example/", secret: "hush", ...more },
});

test.each<[string, unknown]>([
  ["the least", event],
  ["a payload that is null", { ...event, payload: null }],
  ["a payload that is a text", { ...event, payload: "x" }],
  [
    "times of both forms",
    { ...event, occurredAt: 5, notBefore: "2026-11-29T00:00:00Z" },
  ],
  [
    "a time with an offset",
    { ...event, occurredAt: "2026-11-29T00:00:00+01:00" },
  ],
  ["nulls", { ...event, occurredAt: null, destination: null, headers: null }],
  ["headers", { ...event, headers: { "x-a": "b" } }],
  ["a field that is not known", { ...event, more: 1 }],
  ["a content type", { ...event, contentType: "text/plain", payload: "x" }],
  ["a destination", to({})],
  [
    "a destination's policy",
    to({
      maxAttempts: 20,
      timeoutSeconds: 60,
      maxAgeMs: 1_000,
      notRetryableStatuses: [400],
    }),
  ],
  ["a list of waits", to({ retryDelaysMs: [1_000, 86_400_000] })],
  ["a preset of waits", to({ retryDelaysMs: "standard-webhooks" })],
  ["several", { events: [event, { ...event, id: "f" }] }],
])("%s is taken, and documented", (_, body) => {
  expect([isTaken(body), isDocumented(body)]).toEqual([true, true]);
});

test.each<[string, unknown]>([
  ["no object", [event]],
  ["no type", { ...event, type: undefined }],
  ["an empty type", { ...event, type: "" }],
  ["no payload", { ...event, payload: undefined }],
  ["a type that is a number", { ...event, type: 5 }],
  ["a tenant with a dot", { ...event, tenantId: "a.b" }],
  ["an id that is too long", { ...event, id: "x".repeat(257) }],
  ["a time that is a word", { ...event, occurredAt: "yesterday" }],
  ["a header that is a number", { ...event, headers: { "x-a": 5 } }],
  ["a destination without a secret", to({ secret: undefined })],
  ["too many attempts", to({ maxAttempts: 21 })],
  ["no attempt", to({ maxAttempts: 0 })],
  ["a timeout of too long", to({ timeoutSeconds: 61 })],
  ["no waits", to({ retryDelaysMs: [] })],
  ["too many waits", to({ retryDelaysMs: Array(20).fill(1_000) })],
  ["a wait that is too short", to({ retryDelaysMs: [1] })],
  ["a preset that is not known", to({ retryDelaysMs: "often" })],
  ["an age of too short", to({ maxAgeMs: 1 })],
  ["a status that is no failure", to({ notRetryableStatuses: [200] })],
  ["no events", { events: [] }],
  ["too many events", { events: Array(1_001).fill(event) }],
])("%s is refused, and not documented", (_, body) => {
  expect([isTaken(body), isDocumented(body)]).toEqual([false, false]);
});
