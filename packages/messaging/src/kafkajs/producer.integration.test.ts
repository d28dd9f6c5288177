import { afterEach, describe, expect, test } from "@jest/globals";
import { readTopics, testEffects, useStack, waitFor } from "@postrider/testkit";
import kafkajs from "kafkajs";
import { connect as connectSocket, type Socket } from "node:net";
import { createDeadLetterOf } from "../dead-letter-of.ts";
import { createFencedProducer } from "./fenced-producer.ts";
import { createKafka, type Kafka } from "./kafka.ts";
import { createProducerFactory } from "./producer.ts";
import { createOutput } from "../output/output.ts";
import {
  FencedError,
  PartlyAcknowledgedError,
  RecordTooLargeError,
  TopicMissingError,
  type Producer,
  type ProducerRecord,
} from "../ports.ts";
import type { OutRecord, RawRecord } from "../record.ts";

const stack = useStack();
const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of closing.toReversed()) await close();
  closing.length = 0;
});

function connect(): Kafka {
  return createKafka(
    { brokers: stack.brokers, clientId: "producer-test" },
    testEffects(),
  );
}

/** Makes the topic and waits until its leaders answer: right after it is made, they may refuse to be its leaders. */
async function makeTopic(
  name: string,
  config: Readonly<Record<string, string>> = {},
): Promise<string> {
  const admin = connect().admin();
  await admin.connect();
  const topic = stack.prefix + name;
  const settings = { partitions: 2, replicationFactor: -1, config };
  try {
    await admin.createTopics([{ topic, ...settings }]);
    await waitFor(
      async () =>
        (await admin.fetchLogRanges([topic])).length === settings.partitions,
    );
  } finally {
    await admin.disconnect();
  }
  return topic;
}

async function producerOf(kafka: Kafka): Promise<Producer> {
  const producer = await kafka.createProducer();
  closing.push(() => producer.disconnect());
  return producer;
}

const record = (topic: string, value: string | Buffer): ProducerRecord => ({
  topic,
  partition: 0,
  key: Buffer.from("k"),
  value: Buffer.from(value),
});

const valuesOf = (records: readonly RawRecord[]): string[] =>
  records.map((each) => each.value!.toString("utf8"));

const END_TXN = 26;

/** A client that does not get the answers to its commits. `answered` resolves with the socket over which the first came. */
function clientWithoutCommitAnswer(): {
  readonly client: kafkajs.Kafka;
  readonly answered: Promise<Socket>;
} {
  const { promise: answered, resolve } = Promise.withResolvers<Socket>();
  const client = new kafkajs.Kafka({
    brokers: [...stack.brokers],
    logLevel: kafkajs.logLevel.NOTHING,
    socketFactory: ({ host, port, onConnect }) => {
      const socket = connectSocket({ host, port }, onConnect);
      const write = socket.write.bind(socket);
      socket.write = (request: Buffer) => {
        // The request's length takes four bytes; its kind comes next.
        if (request.readInt16BE(4) === END_TXN)
          socket.removeAllListeners("data").on("data", () => resolve(socket));
        return write(request);
      };
      return socket;
    },
  });
  return { client, answered };
}

describe("a producer", () => {
  test("writes to the given partitions, with headers of several values, null keys and null values", async () => {
    const topic = await makeTopic("plain");
    const producer = await producerOf(connect());
    const headers = {
      one: Buffer.from("1"),
      many: [Buffer.from("a"), Buffer.from([0, 255])],
    };

    await producer.sendBatch([
      { topic, partition: 1, key: null, value: Buffer.from("v"), headers },
      { topic, partition: 0, key: Buffer.from("gone"), value: null },
    ]);

    const read = await readTopics(connect(), [topic]);
    expect(read).toHaveLength(2);
    const [tombstone, full] = read.toSorted(
      (a, b) => a.partition - b.partition,
    );
    expect(tombstone).toMatchObject({ partition: 0, value: null });
    expect(tombstone!.key!.toString()).toBe("gone");
    expect(full).toMatchObject({ partition: 1, key: null, headers });
    expect(full!.value!.toString()).toBe("v");
  });

  test("writes values in pieces, small and large ones in one batch", async () => {
    const topic = await makeTopic("pieces");
    const producer = await producerOf(connect());
    const sizes = [5, 4_096, 300_000, 0, 8_000];
    const pieces = sizes.map((size, i) => Buffer.alloc(size, 65 + i));
    const key = Buffer.from("k");

    await producer.sendBatch([
      record(topic, "before"),
      { topic, partition: 0, key, value: pieces },
      { topic, partition: 1, key, value: pieces[2]! },
      { topic, partition: 0, key, value: pieces.toReversed() },
    ]);
    await producer.sendBatch([record(topic, "behind")]);

    const read = await readTopics(connect(), [topic]);
    const inFirst = read.filter(({ partition }) => partition === 0);
    expect(valuesOf(inFirst)).toEqual([
      "before",
      Buffer.concat(pieces).toString(),
      Buffer.concat(pieces.toReversed()).toString(),
      "behind",
    ]);
    expect(read.find(({ partition }) => partition === 1)?.value).toEqual(
      pieces[2],
    );
  });

  test("rejects at once if a topic, or a partition, does not exist", async () => {
    const topic = await makeTopic("known");
    const producer = await producerOf(connect());

    await expect(
      producer.sendBatch([record(`${stack.prefix}nowhere`, "x")]),
    ).rejects.toThrow(TopicMissingError);
    // kafkajs itself would drop this record and report success.
    await expect(
      producer.sendBatch([{ ...record(topic, "x"), partition: 2 }]),
    ).rejects.toThrow(TopicMissingError);
    await producer.sendBatch([record(topic, "y")]);

    expect(valuesOf(await readTopics(connect(), [topic]))).toEqual(["y"]);
  });

  test("rejects a record that is too large with its own error", async () => {
    const small = await makeTopic("small", { "max.message.bytes": "2000" });
    const producer = await producerOf(connect());

    await expect(
      producer.sendBatch([record(small, Buffer.alloc(5000))]),
    ).rejects.toThrow(RecordTooLargeError);
  });

  test("names the records that were stored although others of their batch were refused", async () => {
    const large = await makeTopic("large");
    const small = await makeTopic("small-too", { "max.message.bytes": "2000" });
    const producer = await producerOf(connect());
    const batch = [
      record(large, "a"),
      { ...record(large, "b"), partition: 1 },
      record(small, Buffer.alloc(5000)),
      { ...record(small, "c"), partition: 1 },
    ];

    const error = await producer.sendBatch(batch).catch((e: unknown) => e);

    if (!(error instanceof PartlyAcknowledgedError)) throw error;
    expect(error.cause).toBeInstanceOf(RecordTooLargeError);
    expect(error.acknowledged).toEqual(new Set([batch[0], batch[1], batch[3]]));
    expect(valuesOf(await readTopics(connect(), [large])).toSorted()).toEqual([
      "a",
      "b",
    ]);
    expect(valuesOf(await readTopics(connect(), [small]))).toEqual(["c"]);
  });

  test("once warm, asks for no metadata and makes no connection for its first batch", async () => {
    const topic = await makeTopic("warm");
    const requests: string[] = [];
    const client = new kafkajs.Kafka({
      brokers: [...stack.brokers],
      logLevel: kafkajs.logLevel.DEBUG,
      logCreator:
        () =>
        ({ log }) => {
          if (/^(Request|Connecting)/.test(log.message))
            requests.push(log.message.split("(")[0]!);
        },
    });
    const producer = await createProducerFactory(client)();
    closing.push(() => producer.disconnect());

    await producer.warm([topic]);
    expect(requests).toContain("Request Metadata");
    requests.length = 0;
    await producer.sendBatch([record(topic, "x")]);

    expect(requests).toEqual(["Request Produce"]);
  });

  test("refuses a second batch while one is in flight", async () => {
    const topic = await makeTopic("one");
    const producer = await producerOf(connect());

    const first = producer.sendBatch([record(topic, "a")]);

    await expect(producer.sendBatch([record(topic, "b")])).rejects.toThrow(
      "in flight",
    );
    await first;
  });
});

describe("output beside a topic that refuses records", () => {
  test("loses no record and stores none twice", async () => {
    const attempts = await makeTopic("attempts");
    await makeTopic("signals", { "max.message.bytes": "20000" });
    const letters = await makeTopic("dead-letters");
    const kafka = connect();
    const effects = testEffects();
    const output = createOutput({
      kafka,
      encode: ({ value }) =>
        Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value)),
      prefix: stack.prefix,
      deadLetterOf: createDeadLetterOf({ stage: "test", clock: effects.clock }),
      ...effects,
    });
    await output.start();
    closing.push(() => output.stop(Date.now() + 5000));
    const out = (topic: "attempts" | "signals", value: string): OutRecord => ({
      topic,
      key: "ep_1",
      value: Buffer.from(value),
    });

    const sends: Promise<void>[] = [];
    for (let i = 0; i < 200; i++) {
      const records = [out("attempts", `a${i}`)];
      if (i % 40 === 20) records.push(out("signals", "L".repeat(25_000)));
      sends.push(output.send(records));
      if (i % 10 === 0) await sends.at(-1);
    }
    await Promise.all(sends);

    const written = valuesOf(await readTopics(connect(), [attempts]));
    const sent = Array.from({ length: 200 }, (_, i) => `a${i}`);
    expect(written.toSorted()).toEqual(sent.toSorted());
    expect(await readTopics(connect(), [letters])).toHaveLength(5);
  });
});

describe("a fenced producer", () => {
  test("returns the offset of each record, and writes all of them or none", async () => {
    const topic = await makeTopic("fenced");
    const kafka = connect();
    const producer = await kafka.fencedProducer(`${stack.prefix}writer`);
    closing.push(() => producer.disconnect());

    const first = await producer.send([record(topic, "a"), record(topic, "b")]);
    const second = await producer.send([
      { ...record(topic, "c"), partition: 1 },
      record(topic, "d"),
    ]);

    expect(first).toEqual([
      { topic, partition: 0, offset: 0 },
      { topic, partition: 0, offset: 1 },
    ]);
    const read = await readTopics(connect(), [topic]);
    for (const place of [...first, ...second])
      expect(
        read.filter(
          (r) => r.partition === place.partition && r.offset === place.offset,
        ),
      ).toHaveLength(1);
    expect(valuesOf(read).toSorted()).toEqual(["a", "b", "c", "d"]);
  });

  test("fences the earlier owner of its id", async () => {
    const topic = await makeTopic("taken");
    const id = `${stack.prefix}owner`;
    const first = await connect().fencedProducer(id);
    closing.push(() => first.disconnect());
    await first.send([record(topic, "old")]);

    const second = await connect().fencedProducer(id);
    closing.push(() => second.disconnect());

    await expect(first.send([record(topic, "stale")])).rejects.toThrow(
      FencedError,
    );
    await expect(first.send([record(topic, "again")])).rejects.toThrow(
      "discarded",
    );
    await second.send([record(topic, "new")]);
    expect(valuesOf(await readTopics(connect(), [topic]))).toEqual([
      "old",
      "new",
    ]);
  });

  test("does not call a send fenced whose commit was taken, though its answer is lost and another owner takes over", async () => {
    const topic = await makeTopic("unanswered");
    const id = `${stack.prefix}unanswered`;
    const { client, answered } = clientWithoutCommitAnswer();
    const first = await createFencedProducer(client, id);
    closing.push(() => first.disconnect());
    const sent = first.send([record(topic, "taken")]).catch((e: unknown) => e);
    const socket = await answered;

    const second = await connect().fencedProducer(id);
    closing.push(() => second.disconnect());
    socket.destroy(new Error("the answer was lost"));

    const error = await sent;
    expect(error).toBeInstanceOf(Error);
    expect(error).not.toBeInstanceOf(FencedError);
    expect(valuesOf(await readTopics(connect(), [topic]))).toEqual(["taken"]);
  });

  test("refuses a missing topic without writing the others", async () => {
    const topic = await makeTopic("present");
    const producer = await connect().fencedProducer(`${stack.prefix}third`);
    closing.push(() => producer.disconnect());

    await expect(
      producer.send([record(topic, "x"), record(`${stack.prefix}no`, "y")]),
    ).rejects.toThrow(TopicMissingError);

    expect(await readTopics(connect(), [topic])).toEqual([]);
  });
});
