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

const space = fc.constantFrom("", "", " ", "\n", "\t \r\n");
const string = fc.oneof(
  fc
    .string({ unit: "binary", maxLength: 8 })
    .map((text) => JSON.stringify(text)),
  // Spelled as no serialiser would.
  fc.constantFrom(
    '"\\ud800"',
    '"\\u0041\\/"',
    '"\\uD83D\\ude00"',
    '"grüße"',
    '"\\u0000"',
    '""',
  ),
);
const number = fc.oneof(
  fc.bigInt().map(String),
  fc.constantFrom(
    "-0",
    "1.0",
    "1.50E+003",
    "1e-2",
    "9007199254740993",
    "0.10000000000000000000001",
  ),
);
/** JSON text with any spelling: repeated keys, any order, white space anywhere. */
const { json } = fc.letrec<{ json: string }>((tie) => {
  const inner = tie("json");
  const item = fc.tuple(space, inner, space).map((parts) => parts.join(""));
  const member = fc
    .tuple(space, string, space, item)
    .map(([before, key, after, value]) => `${before}${key}${after}:${value}`);
  return {
    json: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.oneof(number, string, fc.constantFrom("true", "false", "null")),
      fc.array(item, { maxLength: 4 }).map((items) => `[${items.join(",")}]`),
      fc
        .array(member, { maxLength: 4 })
        .chain((members) =>
          // Some of them twice.
          fc.constantFrom(members, [...members, ...members.slice(0, 1)]),
        )
        .map((members) => `{${members.join(",")}}`),
    ),
  };
});

test("the whole value is delivered byte for byte, with white space and byte order mark", () => {
  const mark = fc.constantFrom("", "\ufeff");
  let offset = 0;
  fc.assert(
    fc.property(mark, space, json, space, (...parts) => {
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
