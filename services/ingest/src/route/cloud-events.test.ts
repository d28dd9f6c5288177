import { describe, expect, test } from "@jest/globals";
import type { DeadLetter } from "@postrider/core";
import type { RawRecord } from "@postrider/messaging";
import { createKeyRing } from "@postrider/runtime";
import { CloudEvent, Kafka, type KafkaMessage } from "cloudevents";
import { createEventDecoder } from "./read-event.ts";
import { rejectedRecord } from "./rejected-record.ts";

const decode = createEventDecoder(() => ({
  kind: "unreadable",
  reason: "unreadable",
  detail: "no Avro here",
}));

function rawOf(
  value: string | Buffer | null,
  headers: Readonly<Record<string, string>>,
): RawRecord {
  return {
    topic: "t.events",
    partition: 0,
    offset: 0,
    timestamp: 0,
    key: null,
    value: typeof value === "string" ? Buffer.from(value) : value,
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)]),
    ),
  };
}

function read(
  value: string | Buffer | null,
  headers: Readonly<Record<string, string>>,
) {
  const decoded = decode(rawOf(value, headers));
  if (decoded.kind !== "decoded") throw new Error(decoded.kind);
  return decoded.value;
}

const BINARY = {
  ce_specversion: "1.0",
  ce_id: "1",
  ce_source: "/shop",
  ce_type: "order.paid",
  ce_tenantid: "acme",
};

test("a header ce_specversion makes a record a CloudEvent, even one whose value looks like an envelope", () => {
  const value = `{"id":"x","payload":1}`;

  expect(read(value, { ...BINARY, other: "y" })).toMatchObject({
    kind: "event",
    form: "cloud_event",
    problems: [],
    event: {
      id: "/shop:1",
      tenantId: "acme",
      contentType: "application/json",
      payload: Buffer.from(value),
    },
  });
});

test.each([
  "application/cloudevents+json",
  "application/CloudEvents+JSON; charset=utf-8",
])("%s makes it one, too", (contentType) => {
  const value = `{"specversion":"1.0","id":"1","source":"/shop","type":"order.paid","tenantid":"acme","data":[1.0]}`;

  expect(read(value, { "content-type": contentType })).toMatchObject({
    form: "cloud_event",
    problems: [],
    event: { id: "/shop:1", payload: Buffer.from("[1.0]") },
  });
});

test.each([
  "application/cloudevents-batch+json",
  "application/cloudevents+avro",
])("%s is refused, and says what to send", (contentType) => {
  expect(read("[]", { "content-type": contentType })).toMatchObject({
    kind: "unreadable",
    problem: {
      rule: "format",
      message: expect.stringContaining("send each CloudEvent by itself"),
    },
  });
});

/** What a producer makes of the SDK's message, which leaves it to write texts and bytes. */
function sentOf({ value, headers }: KafkaMessage) {
  const texts = Object.entries(headers)
    .filter(([, header]) => header !== undefined)
    .map(([name, header]) => [name, String(header)]);
  return {
    headers: Object.fromEntries(texts) as Record<string, string>,
    value:
      value === undefined || value === null || Buffer.isBuffer(value)
        ? (value ?? null)
        : Buffer.from(
            typeof value === "string" ? value : JSON.stringify(value),
          ),
  };
}

describe.each([
  ["text", "text/plain", "grüße 🎉", Buffer.from("grüße 🎉")],
  ["an object", "application/json", { n: 1.5, ü: [null] }, null],
  ["bytes", "application/octet-stream", Buffer.of(0, 255), Buffer.of(0, 255)],
  ["no data", undefined, undefined, Buffer.of()],
])(
  "an event of the SDK of CloudEvents with %s",
  (_, datacontenttype, data, bytes) => {
    test.each(["binary", "structured"] as const)("in %s mode", (mode) => {
      const event = new CloudEvent({
        id: "order:4",
        source: "/shop",
        type: "order.paid",
        time: "2026-11-29T10:00:00.123Z",
        subject: "Größe 42/€",
        dataschema: "https://example.com/order.json",
        ...(datacontenttype !== undefined && { datacontenttype, data }),
        tenantid: "acme",
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        partitionkey: "k-1",
        attempt: 3,
        express: true,
      });
      const { value, headers } = sentOf(Kafka[mode](event) as KafkaMessage);

      const input = read(value, headers);

      expect(input).toMatchObject({ form: "cloud_event", problems: [] });
      if (input.kind !== "event") throw new Error(input.kind);
      const { payload, ...rest } = input.event;
      const expected = bytes ?? Buffer.from(JSON.stringify(data));
      expect(Buffer.from(payload)).toEqual(expected);
      expect(rest).toEqual({
        id: "/shop:order%3A4",
        type: "order.paid",
        tenantId: "acme",
        occurredAt: Date.UTC(2026, 10, 29, 10, 0, 0, 123),
        contentType: datacontenttype ?? "application/json",
        destination: null,
        notBefore: null,
        expiresAt: null,
        headers: {
          "ce-specversion": "1.0",
          "ce-id": "order:4",
          "ce-source": "/shop",
          "ce-type": "order.paid",
          "ce-time": "2026-11-29T10:00:00.123Z",
          "ce-subject": "Gr%C3%B6%C3%9Fe%2042/%E2%82%AC",
          "ce-dataschema": "https://example.com/order.json",
          "ce-partitionkey": "k-1",
          "ce-attempt": "3",
          "ce-express": "true",
        },
        traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        tracestate: null,
      });
    });
  },
);

test("a structured CloudEvent is a value: without one the record is refused", () => {
  expect(
    read(null, { "content-type": "application/cloudevents+json" }),
  ).toMatchObject({
    kind: "unreadable",
    problem: { rule: "required", message: "the record has no value" },
  });
});

test("other records are read as before", () => {
  expect(
    read(`{"id":"x","type":"a","payload":1}`, { ce_id: "1" }),
  ).toMatchObject({ form: "json", event: { id: "x" } });
});

test("of a CloudEvent that is refused the value is kept sealed: where a secret may be in it nobody has said", () => {
  const value = `{"password":"hush"}`;
  const { value: letter } = rejectedRecord(
    {
      raw: rawOf(value, BINARY),
      input: read(value, BINARY),
      known: { tenantId: "acme", eventId: null, eventType: null },
      problems: [{ field: "id", rule: "required", message: "is needed" }],
    },
    {
      keyRing: createKeyRing([{ kid: "k1", key: Buffer.alloc(32, 1) }]),
      encodeEvent: () => Buffer.from(value),
      now: 0,
    },
  );

  const { rawKid, rawValue } = letter as DeadLetter;
  expect(rawKid).toBe("k1");
  expect(Buffer.from(rawValue!).toString()).not.toContain("hush");
});
