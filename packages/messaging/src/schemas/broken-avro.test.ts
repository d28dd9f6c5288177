/** Broken Avro: our records and those of other writers, their schemas, and the framing. */
import { expect, test } from "@jest/globals";
import {
  aDeadLetter,
  aDelivery,
  anAttempt,
  anAuditEntry,
  anEndpoint,
  anEvent,
  anInlineDestination,
  anIntake,
  aSignal,
  fuzz,
  mutated,
  type FuzzOptions,
} from "@postrider/testkit";
import type { OutRecord, RawRecord, TopicValues } from "../record.ts";
import type { Decoded } from "../stage.ts";
import { createAvroAsJson } from "./avro-as-json.ts";
import { createAvroCodec } from "./avro-codec.ts";
import { readSchemaFiles } from "./schema-files.ts";

const oneOf =
  (samples: readonly Buffer[]): FuzzOptions<Buffer>["make"] =>
  (random) =>
    mutated(random, samples[random.between(0, samples.length - 1)]!, samples);

function rawOf(value: Buffer): RawRecord {
  const place = { topic: "t", partition: 0, offset: 5, timestamp: 0 };
  return { ...place, key: null, value, headers: {} };
}

/** A decoder answers, and says why if it refuses. */
function requireClear(decoded: Decoded<unknown>): void {
  if (decoded.kind !== "unreadable") return;
  expect(decoded.detail).not.toBe("");
}

const values = {
  events: anEvent({
    destination: {
      url: "https://callback.example/hook",
      secret: "hush",
      sealedSecret: null,
      maxAttempts: 5,
      timeoutSeconds: 30,
      retryDelaysMs: [1_000, 2_000],
      maxAgeMs: null,
      notRetryableStatuses: [400],
    },
  }),
  deliveries: aDelivery({ inline: anInlineDestination() }),
  "dead-letters": aDeadLetter(),
  attempts: anAttempt(),
  intake: anIntake(),
  signals: aSignal(),
  audit: anAuditEntry(),
  endpoints: anEndpoint(),
};
type Topic = keyof typeof values & keyof TopicValues;
const topics = Object.keys(values) as Topic[];
const schemas = readSchemaFiles();
const own = createAvroCodec({
  schemas,
  writers: {
    byFingerprint: () => ({ kind: "unknown" }),
    byId: () => ({ kind: "unknown" }),
  },
});
const samples = topics.map((topic) =>
  // Each value is of its topic's type; the union of all does not show it.
  own.encode({ topic, key: null, value: values[topic] } as OutRecord),
);

test("our own records, broken, are decoded or refused with a reason", async () => {
  await fuzz({
    name: "Avro",
    inputs: 1_000,
    make: (random) => ({
      topic: topics[random.between(0, topics.length - 1)]!,
      // Half of the values are framed rightly, so that the change is in the record.
      value: ((value: Buffer): Buffer =>
        random.next() < 0.5
          ? value
          : Buffer.concat([
              samples[random.between(0, samples.length - 1)]!.subarray(0, 10),
              value.subarray(10),
            ]))(oneOf(samples)(random)),
    }),
    feed: ({ topic, value }) =>
      requireClear(own.decoderOf(topic)(rawOf(value))),
  });
});

/** Schemas as other writers have them, and such as nobody should have. */
const SCHEMAS = [
  schemas.get("WebhookEvent") ?? "",
  `{"type":"record","name":"WebhookEvent","namespace":"dev.postrider","fields":[{"name":"id","type":"string"},{"name":"type","type":{"type":"string","avro.java.string":"String"}},{"name":"payload","type":"bytes"},{"name":"more","type":{"type":"array","items":{"type":"map","values":["null","long","WebhookEvent"]}}}]}`,
  `{"type":"record","name":"A","fields":[{"name":"a","type":["null","A"]},{"name":"e","type":{"type":"enum","name":"E","symbols":["X","Y"]}},{"name":"f","type":{"type":"fixed","name":"F","size":3}},{"name":"d","type":{"type":"bytes","logicalType":"decimal","precision":12,"scale":2}},{"name":"x","type":"double"},{"name":"y","type":"float"},{"name":"l","type":"long"}]}`,
  `{"type":"array","items":{"type":"array","items":"int"}}`,
  `{"type":"array","items":"null"}`,
].map((text) => Buffer.from(text));

const forEvents = new Map([
  ["WebhookEvent", schemas.get("WebhookEvent")!] as const,
]);

const framed = (id: number, avro: Buffer): Buffer => {
  const header = Buffer.alloc(5);
  header.writeInt32BE(id, 1);
  return Buffer.concat([header, avro]);
};

test("values in the schema of another writer, both of them broken, are decoded or refused with a reason", async () => {
  await fuzz({
    name: "writer schema",
    inputs: 400,
    make: (random) => ({
      schema: (random.next() < 0.3
        ? SCHEMAS[random.between(0, SCHEMAS.length - 1)]!
        : oneOf(SCHEMAS)(random)
      ).toString(),
      avro: oneOf(samples)(random).subarray(10),
      fingerprint: random.next() < 0.5,
    }),
    feed: ({ schema, avro, fingerprint }) => {
      const found = { kind: "found", json: schema } as const;
      const codec = createAvroCodec({
        schemas: forEvents,
        writers: { byFingerprint: () => found, byId: () => found },
      });
      const value = fingerprint
        ? Buffer.concat([Buffer.from("c301ffffffffffffffff", "hex"), avro])
        : framed(7, avro);

      requireClear(codec.decoderOf("events")(rawOf(value)));
      const asJson = createAvroAsJson(() => found)(rawOf(framed(7, avro)));
      requireClear(asJson);
      if (asJson.kind === "decoded")
        expect(
          () => JSON.parse(asJson.value.toString()) as unknown,
        ).not.toThrow();
    },
  });
});

test("a header of the framing that ends early, or names what nobody knows, is refused or waited for", async () => {
  await fuzz({
    name: "framing",
    make: (random) =>
      mutated(
        random,
        random.pick([
          Buffer.from("c3010102030405060708ff", "hex"),
          Buffer.from("0000000007ff", "hex"),
        ]),
      ),
    feed: (value) => requireClear(own.decoderOf("events")(rawOf(value))),
  });
});
