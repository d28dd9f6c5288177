/** Broken records of `events`, in every form, with headers that no producer should write. */
import { expect, test } from "@jest/globals";
import { validateEvent, type EventRules } from "@postrider/core";
import {
  createAvroCodec,
  readSchemaFiles,
  type RawRecord,
} from "@postrider/messaging";
import { anEvent, fuzz, mutated } from "@postrider/testkit";
import { createEventDecoder } from "./read-event.ts";

const RULES: EventRules = {
  maxPayloadBytes: 10_000,
  url: { allowHttp: false, allowedCidrs: [], deniedCidrs: [] },
  inline: { kind: "allow" },
};
const codec = createAvroCodec({
  schemas: readSchemaFiles(),
  writers: {
    byFingerprint: () => ({ kind: "unknown" }),
    byId: () => ({ kind: "absent", detail: "the registry has no such schema" }),
  },
});
const decode = createEventDecoder(codec.decoderOf("events"));

const VALUES = [
  Buffer.from(
    `{"id":"order-1","type":"order.paid","tenantId":"acme","payload":{"total":12.50}}`,
  ),
  Buffer.from(
    `{"specversion":"1.0","id":"a","source":"/s","type":"order.paid","tenantid":"acme","data":"x"}`,
  ),
  codec.encode({ topic: "events", key: null, value: anEvent() }),
  Buffer.from("0000000007", "hex"),
];
const HEADERS: readonly (readonly [string, string])[] = [
  ["content-type", "application/json; charset=utf-8"],
  ["content-type", "application/cloudevents+json"],
  ["content-type", "application/cloudevents-batch+json"],
  ["ce_specversion", "1.0"],
  ["ce_id", "order-3"],
  ["ce_source", "/shop"],
  ["ce_type", "order.paid"],
  ["ce_tenantid", "acme"],
  ["ce_time", "2026-11-28T10:00:00Z"],
  ["ce_", "nothing"],
  ["__proto__", "x"],
  ["traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
];

test("a record becomes an event, or is refused with the rule, or waits for its schema", async () => {
  const seen = new Set<string>();
  const fed = await fuzz({
    name: "records of events",
    inputs: 1_200,
    make: (random): RawRecord => {
      const headers: [string, Buffer | Buffer[]][] = [];
      for (const [name, text] of HEADERS) {
        if (random.next() < 0.5) continue;
        const value =
          random.next() < 0.5
            ? Buffer.from(text)
            : mutated(random, Buffer.from(text));
        headers.push([name, random.next() < 0.1 ? [value, value] : value]);
      }
      return {
        topic: "events",
        partition: 0,
        offset: 1,
        timestamp: 0,
        key: null,
        value: mutated(
          random,
          VALUES[random.between(0, VALUES.length - 1)]!,
          VALUES,
        ),
        headers: Object.fromEntries(headers),
      };
    },
    feed: (raw) => {
      const decoded = decode(raw);

      if (decoded.kind !== "decoded") {
        seen.add(decoded.kind);
        return;
      }
      const { value } = decoded;
      seen.add(value.kind === "event" ? value.form : value.kind);
      if (value.kind === "unreadable") {
        expect(value.problem.rule).not.toBe("");
        expect(value.problem.message).not.toBe("");
        return;
      }
      for (const { rule, message } of [
        ...value.problems,
        ...validateEvent(value.event, RULES),
      ]) {
        expect(rule).not.toBe("");
        expect(message).not.toBe("");
      }
    },
  });

  // Each way out was taken, so that what is fed is not all refused at the first byte.
  if (fed > 1_000)
    for (const way of ["json", "avro", "cloud_event", "unreadable"])
      expect(seen).toContain(way);
});
