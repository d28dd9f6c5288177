import { createRequire } from "node:module";
import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { joined } from "../../value-bytes.ts";
import {
  encodeProduceBody,
  type PartitionBatch,
  type ProduceBody,
} from "./record-batch.ts";

const load = createRequire(import.meta.url);
const kafkajsRequest = load(
  "kafkajs/src/protocol/requests/produce/v3/request",
) as (request: object) => { encode(): Promise<{ buffer: Buffer }> };

/** The same body as kafkajs writes it, record by record. */
async function byKafkajs(body: ProduceBody): Promise<Buffer> {
  const request = kafkajsRequest({
    acks: body.acks,
    timeout: body.timeoutMs,
    transactionalId: body.transactionalId,
    producerId: body.producerId.toString(),
    producerEpoch: body.producerEpoch,
    topicData: body.topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map((batch) => ({
        ...batch,
        // kafkajs reads the clock if a record has no timestamp, so give each one.
        messages: batch.messages.map((each) => ({
          ...each,
          value: each.value && joined(each.value),
          timestamp: body.now,
        })),
      })),
    })),
  });
  return Buffer.from((await request.encode()).buffer);
}

const bytes = fc
  .oneof(fc.uint8Array({ maxLength: 20 }), fc.uint8Array({ maxLength: 9000 }))
  .map((each) => Buffer.from(each));
const name = fc.string({ unit: "grapheme", maxLength: 12 });
const headers = fc.dictionary(
  name.filter((each) => each !== "__proto__"),
  fc.oneof(bytes, fc.array(bytes, { minLength: 1, maxLength: 3 })),
  { maxKeys: 4, noNullPrototype: true },
);
const value = fc.oneof(bytes, fc.array(bytes, { maxLength: 4 }));
const record = fc.record(
  { key: fc.option(bytes), value: fc.option(value), headers },
  { requiredKeys: ["key", "value"] },
);
const body: fc.Arbitrary<ProduceBody> = fc.record({
  transactionalId: fc.option(fc.string({ minLength: 1, maxLength: 20 })),
  acks: fc.constant(-1),
  timeoutMs: fc.nat(),
  producerId: fc.bigInt({ min: -1n, max: 2n ** 63n - 1n }),
  producerEpoch: fc.nat(32_767),
  now: fc.integer({ min: 1, max: 4_000_000_000_000 }),
  topics: fc.array(
    fc.record({
      topic: fc.string({ minLength: 1, maxLength: 30 }),
      partitions: fc.array(
        fc.record({
          partition: fc.nat(1000),
          firstSequence: fc.nat(),
          messages: fc.array(record, { minLength: 1, maxLength: 5 }),
        }),
        { maxLength: 3 },
      ),
    }),
    { maxLength: 3 },
  ),
});

/** A body with these messages of one partition. */
function bodyOf(messages: PartitionBatch["messages"]): ProduceBody {
  return {
    transactionalId: null,
    acks: -1,
    timeoutMs: 30_000,
    producerId: 4000n,
    producerEpoch: 0,
    now: 1_790_000_000_000,
    topics: [
      {
        topic: "t",
        partitions: [{ partition: 0, firstSequence: 7, messages }],
      },
    ],
  };
}

test("a body is byte for byte what kafkajs writes", async () => {
  await fc.assert(
    fc.asyncProperty(body, async (given) => {
      const ours = Buffer.concat(encodeProduceBody(given));

      expect(ours.equals(await byKafkajs(given))).toBe(true);
    }),
    { numRuns: 300 },
  );
});

test("room in front of the body leaves the body as it is", () => {
  fc.assert(
    fc.property(body, fc.nat(300), (given, roomBytes) => {
      const roomy = Buffer.concat(encodeProduceBody(given, roomBytes));
      const plain = Buffer.concat(encodeProduceBody(given));

      expect(roomy.subarray(roomBytes).equals(plain)).toBe(true);
    }),
    { numRuns: 50 },
  );
});

test("numbers of records beyond one, two and three bytes of offset delta are the same too", async () => {
  const messages = Array.from({ length: 9000 }, (_, i) => ({
    key: null,
    value: Buffer.from(String(i)),
  }));
  const given = bodyOf(messages);

  const ours = Buffer.concat(encodeProduceBody(given));

  expect(ours.equals(await byKafkajs(given))).toBe(true);
});

test("long keys and values are not copied, short ones have no piece of their own", () => {
  const long = Buffer.alloc(4096, 1);
  const longer = Buffer.alloc(9000, 1);
  const short = Buffer.alloc(4095, 1);
  const given = bodyOf([
    { key: long, value: [short, longer, short] },
    { key: short, value: null },
    { key: null, value: longer },
  ]);

  const pieces = encodeProduceBody(given);

  const own = pieces.filter((each) => each === long || each === longer);
  expect(own).toEqual([long, longer, longer]);
  expect(pieces.length).toBeLessThanOrEqual(7);
  expect(pieces[0]!.length).toBeLessThan(300);
});
