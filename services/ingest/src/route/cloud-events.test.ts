import { expect, test } from "@jest/globals";
import type { DeadLetter } from "@postrider/core";
import type { RawRecord } from "@postrider/messaging";
import { createKeyRing } from "@postrider/runtime";
import { createEventDecoder } from "./read-event.ts";
import { rejectedRecord } from "./rejected-record.ts";

const decode = createEventDecoder(() => ({
  kind: "unreadable",
  reason: "unreadable",
  detail: "no Avro here",
}));

function rawOf(
  value: string,
  headers: Readonly<Record<string, string>>,
): RawRecord {
  return {
    topic: "t.events",
    partition: 0,
    offset: 0,
    timestamp: 0,
    key: null,
    value: Buffer.from(value),
    headers: Object.fromEntries(
      Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)]),
    ),
  };
}

function read(value: string, headers: Readonly<Record<string, string>>) {
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
