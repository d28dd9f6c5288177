/** Batches in every codec of Kafka, on `events` and on configured sources, as clients and as the broker write them. */
import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { useStack } from "@postrider/testkit";
import kafkajs from "kafkajs";
import { SourceIngest } from "../../fixtures/source-ingest.ts";

const { CompressionTypes } = kafkajs;
const stack = useStack();
const ingest = new SourceIngest(stack);
const EVENTS = `${stack.prefix}events`;
const CODECS = {
  gzip: CompressionTypes.GZIP,
  snappy: CompressionTypes.Snappy,
  lz4: CompressionTypes.LZ4,
  zstd: CompressionTypes.ZSTD,
} as const;
const NAMES = Object.keys(CODECS) as (keyof typeof CODECS)[];
const RECORDS = 40;

const sourceOf = (codec: string): string => `${stack.prefix}source-${codec}`;

beforeAll(async () => {
  // The broker compresses what comes to these topics itself: by the codecs of Kafka's own library, which Java producers use.
  const admin = ingest.client.admin();
  await admin.connect();
  await admin.createTopics({
    waitForLeaders: true,
    topics: NAMES.map((codec) => ({
      topic: sourceOf(codec),
      numPartitions: 1,
      configEntries: [{ name: "compression.type", value: codec }],
    })),
  });
  await admin.disconnect();
  const sources = NAMES.map(
    (codec) => `
  - topic: ${sourceOf(codec)}
    format: json
    tenantId: {literal: acme}
    type: {literal: order.paid}
    id: {path: $.id}`,
  );
  await ingest.start([], `sources:${sources.join("")}`);
});
afterAll(async () => await ingest.stop());

/** A text that repeats itself, and a number that does not. */
const payloadOf = (codec: string, n: number): string =>
  `{"id":"${codec}-${n}","text":"${"abc".repeat(200)}","n":${Math.sin(n)}}`;

const idsOf = (codec: string): string[] =>
  Array.from({ length: RECORDS }, (_, n) => `${codec}-${n}`);

test.each(NAMES)(
  "a batch that the broker compresses in %s is read from a source, byte for byte",
  async (codec) => {
    const payloads = idsOf(codec).map((_, n) => payloadOf(codec, n));

    await ingest.produce(
      sourceOf(codec),
      payloads.map((value) => ({ value })),
    );

    const found = await ingest.deliveriesOf(sourceOf(codec), RECORDS);
    expect(found.map(({ payload }) => Buffer.from(payload).toString())).toEqual(
      payloads,
    );
  },
);

test("batches that a client compresses in each codec are read from `events`, byte for byte, in their order", async () => {
  const payloads: string[] = [];
  for (const codec of NAMES) {
    const own = idsOf(codec).map((_, n) => payloadOf(codec, n));
    payloads.push(...own);
    await ingest.produce(
      EVENTS,
      own.map((payload, n) => ({
        value: `{"id":"${codec}-${n}","tenantId":"acme","type":"order.paid","payload":${payload}}`,
      })),
      CODECS[codec],
    );
  }

  const found = await ingest.deliveriesOf(EVENTS, payloads.length);

  expect(found.map(({ payload }) => Buffer.from(payload).toString())).toEqual(
    payloads,
  );
});
