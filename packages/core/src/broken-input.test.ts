/** Broken input for everything in core that reads what comes from outside. */
import { expect, test } from "@jest/globals";
import { fuzz, mutated, type FuzzOptions } from "@postrider/testkit";
import { isContentType } from "./content-type.ts";
import {
  readBinaryCloudEvent,
  readStructuredCloudEvent,
} from "./cloud-event.ts";
import { parseFieldPath, valueAtPath } from "./field-path.ts";
import { blankSecret } from "./blank-secret.ts";
import {
  parseJsonEnvelope,
  parseJsonEnvelopes,
  type ParsedEvent,
} from "./json-envelope.ts";
import { objectAt, wholeValue } from "./json-spans.ts";
import { parseSources } from "./parse-sources.ts";
import type { Problem } from "./problem.ts";
import { parseRetryAfter } from "./retry-after.ts";
import { readSourceRecord } from "./source-event.ts";
import { parseTime } from "./time.ts";
import { readTraceContext } from "./trace-context.ts";
import { isEventType } from "./type-pattern.ts";
import { judgeUrl } from "./url-policy.ts";
import { validateEvent, type EventRules } from "./validate-event.ts";

const RULES: EventRules = {
  maxPayloadBytes: 10_000,
  url: { allowHttp: false, allowedCidrs: [], deniedCidrs: [] },
  inline: { kind: "allow" },
};

const ENVELOPES = [
  `{"id":"order-1","type":"order.paid","tenantId":"acme","payload":{"orderId":1,"total":12.50}}`,
  `\ufeff {"payload":"\\ud83d\\ude00 text","contentType":"text/plain","id":"\\u0061","type":"a.b","headers":{"x-a":"b","__proto__":"c"}}\n`,
  `{"id":"e","type":"a","occurredAt":"2026-11-28T10:00:00.123456Z","notBefore":1795886024000,"expiresAt":"2046-01-01T00:00:00+01:00","payload":[1e400,-0,true,null,[[]],{"":{}}],"destination":{"url":"https://example.com/a?b","secret":"whsec_aGVsbG8=","maxAttempts":5,"timeoutSeconds":30,"retryDelaysMs":[1000,2000],"maxAgeMs":60000,"notRetryableStatuses":[400,422]},"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01","tracestate":"a=b"}`,
  `{"events":[{"id":"1","type":"a.b","payload":{}},{"id":"2","payload":"x"},3,[]]}`,
].map((text) => Buffer.from(text));
const CLOUD_EVENTS = [
  `{"specversion":"1.0","id":"order-4","source":"/shop","type":"order.paid","tenantid":"acme","data":{"orderId":4,"total":12.50}}`,
  `{"specversion":"1.0","id":"a:b%","source":"urn:x","type":"a.b","time":"2026-11-28T10:00:00Z","datacontenttype":"text/plain","data":"\\ud800 \u00e4","subject":"\u00fc \\"","sequence":5,"flag":true,"none":null}`,
  `{"data_base64":"aGVsbG8=","specversion":"1.0","id":"1","source":"s","type":"t.u"}`,
].map((text) => Buffer.from(text));
const SOURCES = [
  `{"sources":[{"topic":"shop.orders","format":"json","tenantId":{"literal":"acme"},"type":{"path":"$.event"},"id":{"path":"$.order.id"},"payload":{"path":"$.order"}},{"topic":"shop.parcels","format":"avro","tenantId":{"header":"tenant"},"type":{"literal":"parcel.moved"},"contentType":"text/plain"}]}`,
].map((text) => Buffer.from(text));
const RECORDS = [
  `{"event":"order.paid","order":{"id":1001,"total":12.50},"lines":[[1],{"a":"b"}]}`,
  `\ufeff[{"id":"x"},-0,"\\ud800"]`,
].map((text) => Buffer.from(text));
const ALL = [...ENVELOPES, ...CLOUD_EVENTS, ...SOURCES, ...RECORDS];

const oneOf =
  (samples: readonly Buffer[]): FuzzOptions<Buffer>["make"] =>
  (random) =>
    mutated(random, samples[random.between(0, samples.length - 1)]!, ALL);

/** What `JSON.parse` makes of the bytes; undefined if they are no JSON in UTF-8. */
function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): boolean =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Each problem says what is wrong, in a line that may be shown. */
function requireClear(problems: readonly Problem[]): void {
  expect(problems.length).toBeLessThanOrEqual(21);
  for (const { field, rule, message } of problems) {
    expect(rule).not.toBe("");
    expect(message).not.toBe("");
    expect(field.length).toBeLessThan(400);
    expect(message.length).toBeLessThan(600);
    expect(`${field}${message}`).not.toMatch(/\p{Cc}/u);
  }
}

/** Bytes that are a JSON object become an event, and all others are refused with the reason. */
function requireRead(bytes: Buffer, read: ParsedEvent): void {
  expect(read.kind).toBe(isObject(parsed(bytes)) ? "parsed" : "unparseable");
  if (read.kind === "unparseable") return requireClear([read.problem]);
  requireClear(read.problems);
  requireClear(validateEvent(read.event, RULES));
}

test("the reader of JSON envelopes takes what JSON.parse takes, and refuses the rest with a reason", async () => {
  await fuzz({
    name: "JSON envelope",
    make: oneOf(ENVELOPES),
    feed: (bytes) => {
      const read = parseJsonEnvelope(bytes);

      requireRead(bytes, read);
      if (read.kind !== "parsed" || read.problems.length > 0) return;
      const { contentType, payload } = read.event;
      if (contentType === "application/json")
        expect(parsed(payload)).toBeDefined();
    },
  });
});

test("the reader of several envelopes answers for each of them", async () => {
  await fuzz({
    name: "JSON envelopes",
    make: oneOf(ENVELOPES),
    feed: (bytes) => {
      const read = parseJsonEnvelopes(bytes, 1_001);

      if (read.kind === "unparseable") return requireClear([read.problem]);
      expect(read.events.length).toBeLessThanOrEqual(1_001);
      for (const { event, problems } of read.events) {
        requireClear(problems);
        requireClear(validateEvent(event, RULES));
      }
    },
  });
});

test("a CloudEvent in structured mode is read as JSON is, or refused with a reason", async () => {
  await fuzz({
    name: "structured CloudEvent",
    make: oneOf(CLOUD_EVENTS),
    feed: (bytes) => requireRead(bytes, readStructuredCloudEvent(bytes)),
  });
});

test("a CloudEvent in binary mode makes headers that HTTP can carry, whatever its attributes are", async () => {
  const names = ["specversion", "id", "source", "type", "time", "tenantid"];
  await fuzz({
    name: "binary CloudEvent",
    inputs: 100,
    make: (random) =>
      [...names, "subject", "traceparent", "__proto__", "\u0000x"].map(
        (name) =>
          [
            name,
            mutated(random, Buffer.from("1.0 /shop:\u00e4%"), ALL).toString(),
          ] as const,
      ),
    feed: (attributes) => {
      const read = readBinaryCloudEvent(
        new Map(attributes),
        "application/json",
        Buffer.from("{}"),
      );

      expect(read.kind).toBe("parsed");
      if (read.kind !== "parsed") return;
      requireClear(read.problems);
      requireClear(validateEvent(read.event, RULES));
      for (const value of Object.values(read.event.headers))
        expect(value).toMatch(/^[\u0021-\u007e]*$/);
    },
  });
});

test("a record of a source becomes an event, or is refused with the field", async () => {
  const { sources } = parseSources({
    sources: ["$", "$.order", "$.lines[1].a", "$[0].id"].map((path, i) => ({
      topic: `t${i}`,
      format: "json",
      tenantId: { header: "tenant" },
      type: { path: "$.event" },
      id: { path },
      payload: { path },
      contentType: i % 2 === 0 ? "application/json" : "text/plain",
    })),
  });
  await fuzz({
    name: "source record",
    make: (random) => ({
      source: random.between(0, sources.length - 1),
      json: oneOf(RECORDS)(random),
      header: mutated(random, Buffer.from("acme")),
    }),
    feed: ({ source, json, header }) => {
      const read = readSourceRecord(sources[source]!, {
        partition: 0,
        offset: 1,
        json,
        header: () => header,
      });

      expect(read.kind).toBe(
        parsed(json) === undefined ? "unparseable" : "parsed",
      );
      if (read.kind === "unparseable") return requireClear([read.problem]);
      requireClear(read.problems);
      requireClear(validateEvent(read.event, RULES));
    },
  });
});

test("the finder of values in JSON finds what JSON.parse finds", async () => {
  await fuzz({
    name: "JSON spans",
    make: oneOf(ALL),
    feed: (bytes) => {
      const whole = wholeValue(bytes);
      const value = parsed(bytes);

      expect(whole !== null).toBe(value !== undefined);
      if (whole === null || !isObject(value)) return;
      const object = objectAt(bytes, whole.start);
      const last = new Map(
        object?.members.map(({ key, value: span }) => [key, span]),
      );
      expect([...last.keys()].toSorted()).toEqual(
        Object.keys(value as object).toSorted(),
      );
      for (const [key, { start, end }] of last)
        expect(parsed(bytes.subarray(start, end))).toEqual(
          (value as Record<string, unknown>)[key],
        );
    },
  });
});

test("any text is a path or none, and a path leads to a value or to none", async () => {
  const json = RECORDS[0]!;
  const whole = wholeValue(json)!;
  await fuzz({
    name: "field path",
    make: (random) =>
      mutated(random, Buffer.from(`$.order["id"][0]['a\\'b'].lines[12]`), [
        Buffer.from("$.order.id"),
        Buffer.from("\\\\\\\"']]["),
      ]).toString(),
    feed: (text) => {
      const path = parseFieldPath(text);
      if (path !== null) valueAtPath(json, path, whole);
    },
  });
});

test("any content of a sources file is read, or refused line by line", async () => {
  await fuzz({
    name: "sources",
    make: (random) => parsed(oneOf(SOURCES)(random)) ?? null,
    feed: (content) => {
      const { sources, problems } = parseSources(content);

      for (const { rule, got } of problems) {
        expect(rule).not.toBe("");
        expect((got ?? "").length).toBeLessThan(200);
      }
      if (problems.length === 0) expect(Array.isArray(sources)).toBe(true);
    },
  });
});

test("texts of headers and fields are judged, whatever they are", async () => {
  const texts = [
    "Wed, 21 Oct 2026 07:28:00 GMT",
    "120",
    "2026-11-28T10:00:00.123+01:00",
    "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "vendor=value,other@tenant=x",
    "application/cloudevents+json; charset=utf-8",
    "order.paid.*",
    "https://user:pass@[::ffff:127.0.0.1]:443/a?b#c",
    "https://xn--bcher-kva.example/%2e%2e/",
  ].map((text) => Buffer.from(text));
  await fuzz({
    name: "texts",
    make: (random) => oneOf(texts)(random).toString(),
    feed: (text) => {
      const wait = parseRetryAfter(text, 1_795_886_024_000);
      const at = parseTime(text);
      readTraceContext(text, text);
      isContentType(text);
      isEventType(text);
      judgeUrl(text, RULES.url);

      if (wait !== undefined) {
        expect(wait).toBeGreaterThan(0);
        expect(wait).toBeLessThanOrEqual(86_400_000);
      }
      if (at !== undefined) expect(Number.isSafeInteger(at)).toBe(true);
    },
  });
});

test("what is kept of a refused envelope is JSON still, without the destination's secret", async () => {
  await fuzz({
    name: "blank secret",
    make: oneOf(ENVELOPES),
    feed: (bytes) => {
      if (!isObject(parsed(bytes))) return;

      const kept = parsed(blankSecret(bytes)) as Record<string, unknown>;

      expect(isObject(kept)).toBe(true);
      const destination = kept["destination"];
      if (isObject(destination))
        expect([undefined, "[redacted]"]).toContain(
          (destination as Record<string, unknown>)["secret"],
        );
    },
  });
});
