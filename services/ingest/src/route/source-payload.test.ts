/** A source's payload is the record's own bytes, whatever JSON they are. */
import { expect, test } from "@jest/globals";
import { type Delivery, parseSources, type Source } from "@postrider/core";
import {
  createAvroCodec,
  createSourceDecoder,
  type RawRecord,
  readSchemaFiles,
} from "@postrider/messaging";
import { TypeCatalogue } from "@postrider/event-types";
import { createKeyRing } from "@postrider/runtime";
import { anEndpoint } from "@postrider/testkit";
import {
  byteOrderMark,
  jsonSpace as space,
  jsonText as json,
} from "@postrider/testkit/json-text";
import fc from "fast-check";
import { EndpointFilters } from "./endpoint-filters.ts";
import { EndpointIndex } from "./endpoint-index.ts";
import { createSourceEventDecoder } from "./read-event.ts";
import { createRouteStage } from "./route.stage.ts";

const endpoints = new EndpointIndex();
endpoints.set("ep_1", anEndpoint({ id: "ep_1" }));
const stage = createRouteStage({
  rules: {
    maxPayloadBytes: 1_000_000,
    url: { allowHttp: false, allowedCidrs: [], deniedCidrs: [] },
    inline: { kind: "deny" },
  },
  types: new TypeCatalogue(),
  maxFanOut: 10,
  recordPayloads: "all",
  window: { maxRecords: 10, maxBytes: 1e6 },
  endpoints,
  filters: new EndpointFilters(),
  keyRing: createKeyRing([{ kid: "k1", key: Buffer.alloc(32, 1) }]),
  encodeEvent: () => Buffer.of(),
  now: () => 1_800_000_000_000,
  spans: null,
});
const codec = createAvroCodec({
  schemas: readSchemaFiles(),
  writers: {
    byFingerprint: () => ({ kind: "unknown" }),
    byId: () => ({ kind: "unknown" }),
  },
});

/** The payload that deliver reads of the delivery that follows from the value, as it stands in Kafka. */
function payloadOf(value: Buffer, source: Source, offset: number): Buffer {
  const raw: RawRecord = {
    topic: source.topic,
    partition: 0,
    offset,
    timestamp: 1_800_000_000_000,
    key: null,
    value,
    headers: {},
  };
  const decoded = createSourceEventDecoder(
    createSourceDecoder(source, () => {
      throw new Error("no Avro here");
    }),
  )(raw);
  if (decoded.kind !== "decoded") throw new Error(decoded.kind);
  const verdict = stage.handle(
    { raw, value: decoded.value },
    new AbortController().signal,
  );
  if (verdict instanceof Promise || verdict.kind !== "emit")
    throw new Error("route emits, at once");
  const made = [...verdict.records].find(({ topic }) => topic === "deliveries");
  if (made === undefined) throw new Error("no delivery");
  const encoded = codec.encode({
    topic: "deliveries",
    key: null,
    value: made.value as Delivery, // of this topic
  });
  const read = codec.decoderOf("deliveries")({ ...raw, value: encoded });
  if (read.kind !== "decoded") throw new Error(read.kind);
  return Buffer.from(read.value.payload);
}

function sourceWith(path: string): Source {
  const { sources, problems } = parseSources({
    sources: [
      {
        topic: "shop.orders",
        format: "json",
        tenantId: { literal: "acme" },
        type: { literal: "order.paid" },
        payload: { path },
      },
    ],
  });
  expect(problems).toEqual([]);
  return sources[0]!;
}

test("the whole value is delivered byte for byte, with white space and byte order mark", () => {
  let offset = 0;
  fc.assert(
    fc.property(byteOrderMark, space, json, space, (...parts) => {
      const value = Buffer.from(parts.join(""));

      const payload = payloadOf(value, sourceWith("$"), offset++);

      expect(payload.equals(value)).toBe(true);
    }),
    { numRuns: 1_000 },
  );
});

test("a value inside is delivered byte for byte, however deep it is and whatever stands beside it", () => {
  const name = fc.oneof(
    fc.string({ unit: "binary", maxLength: 5 }),
    fc.constantFrom("id", "a.b", "", "__proto__", "it's", '"', "\\"),
  );
  const step = fc.record({
    name: fc.oneof(name, fc.nat(2)),
    others: fc.array(fc.tuple(name, json), { maxLength: 2 }),
    before: space,
    after: space,
  });
  let offset = 1_000_000;
  fc.assert(
    fc.property(
      json,
      fc.array(step, { minLength: 1, maxLength: 4 }),
      (inside, steps) => {
        let text = inside;
        let path = "";
        for (const { name: key, others, before, after } of steps) {
          const spaced = `${before}${text}${after}`;
          if (typeof key === "number") {
            path = `[${key}]${path}`;
            text = `[${"0,".repeat(key)}${spaced}${others.map(([, each]) => `,${each}`).join("")}]`;
          } else {
            path = `["${key.replace(/["\\]/g, "\\$&")}"]${path}`;
            const members = [
              // An earlier member of the same name is not the one.
              `${JSON.stringify(key)}:null`,
              `${JSON.stringify(key)}:${spaced}`,
              ...others
                .filter(([other]) => other !== key)
                .map(([other, each]) => `${JSON.stringify(other)}:${each}`),
            ];
            text = `{${members.join(",")}}`;
          }
        }

        const payload = payloadOf(
          Buffer.from(text),
          sourceWith(`$${path}`),
          offset++,
        );

        expect(payload.equals(Buffer.from(inside))).toBe(true);
      },
    ),
    { numRuns: 1_000 },
  );
});
