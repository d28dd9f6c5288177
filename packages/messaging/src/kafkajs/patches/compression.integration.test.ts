import { expect, test } from "@jest/globals";
import { readTopics, testEffects, useStack } from "@postrider/testkit";
import kafkajs from "kafkajs";
import { compress } from "snappy";
import { createKafka } from "../kafka.ts";
import { registerCompression } from "./compression.ts";

const stack = useStack();
const { CompressionTypes, CompressionCodecs } = kafkajs;

const values = [
  "short",
  "repetitive ".repeat(20_000),
  Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 7919) & 0xff)),
].map((value) => Buffer.from(value));

test.each([
  ["gzip", CompressionTypes.GZIP],
  ["snappy", CompressionTypes.Snappy],
  ["lz4", CompressionTypes.LZ4],
  ["zstd", CompressionTypes.ZSTD],
])(
  "a batch in %s is accepted by the broker and read back",
  async (name, type) => {
    const kafka = createKafka(
      { brokers: stack.brokers, clientId: "compression-test" },
      testEffects(),
    );
    const [topic] = await stack.createTopics(name);
    const producer = new kafkajs.Kafka({
      brokers: [...stack.brokers],
      logLevel: kafkajs.logLevel.NOTHING,
    }).producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner });
    await producer.connect();

    await producer.send({
      topic: topic!,
      compression: type,
      messages: values.map((value) => ({ key: "k", partition: 0, value })),
    });
    await producer.disconnect();

    const read = await readTopics(kafka, [topic!]);
    expect(read.map((record) => record.value!.length)).toEqual(
      values.map((value) => value.length),
    );
    expect(read.every((each, i) => each.value!.equals(values[i]!))).toBe(true);
  },
);

test("snappy without xerial's blocks, as librdkafka writes it, is read too", async () => {
  registerCompression();
  registerCompression();
  const codec = (
    CompressionCodecs[CompressionTypes.Snappy] as () => {
      decompress(bytes: Buffer): Promise<Buffer>;
    }
  )();

  const bare = await codec.decompress(await compress(values[1]!));

  expect(bare.equals(values[1]!)).toBe(true);
  await expect(
    codec.decompress(
      Buffer.from("82534e4150505900000000010000000100001000", "hex"),
    ),
  ).rejects.toThrow("outside of its batch");
});
