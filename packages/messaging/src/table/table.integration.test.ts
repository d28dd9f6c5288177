import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { testEffects, useStack, waitFor } from "@postrider/testkit";
import kafkajs from "kafkajs";
import { createKafka, type Kafka } from "../kafkajs/kafka.ts";
import type { Producer } from "../ports.ts";
import type { Decoder } from "../stage.ts";
import { TableStoppedError, createTable, type Table } from "./table.ts";

const stack = useStack();
const closing: (() => Promise<unknown>)[] = [];
let kafka: Kafka;
let producer: Producer;
let topic: string;
let topics = 0;

beforeEach(async () => {
  kafka = createKafka(
    { brokers: stack.brokers, clientId: "table-test" },
    testEffects(),
  );
  const own = await kafka.createProducer();
  producer = own;
  closing.push(() => own.disconnect());
  topic = `${stack.prefix}table${topics++}`;
  await makeTopic();
});

afterEach(async () => {
  for (const close of closing.toReversed()) await close();
  closing.length = 0;
});

/** Makes the topic and waits until its leaders answer: right after it is made, they may refuse to be its leaders. */
async function makeTopic(): Promise<void> {
  const admin = kafka.admin();
  await admin.connect();
  const config = { "cleanup.policy": "compact,delete" };
  const shape = { partitions: 2, replicationFactor: -1, config };
  try {
    await admin.createTopics([{ topic, ...shape }]);
    await waitFor(
      async () =>
        (await admin.fetchLogRanges([topic])).length === shape.partitions,
    );
  } finally {
    await admin.disconnect();
  }
}

/** Deletes the topic, runs `meanwhile` while its partitions have no leader, and makes the topic anew. */
async function replaceTopic(
  meanwhile: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  await withKafkajsAdmin((admin) => admin.deleteTopics({ topics: [topic] }));
  await waitFor(async () => {
    const admin = kafka.admin();
    await admin.connect();
    const names = await admin.listTopics();
    await admin.disconnect();
    return !names.includes(topic);
  });
  await meanwhile();
  await makeTopic();
  // The producer of before knows only the topic that is gone.
  producer = await kafka.createProducer();
  const own = producer;
  closing.push(() => own.disconnect());
}

async function withKafkajsAdmin(
  use: (admin: kafkajs.Admin) => Promise<unknown>,
): Promise<void> {
  const client = new kafkajs.Kafka({
    brokers: [...stack.brokers],
    logLevel: kafkajs.logLevel.NOTHING,
  });
  const admin = client.admin();
  await admin.connect();
  try {
    await use(admin);
  } finally {
    await admin.disconnect();
  }
}

const asText: Decoder<string> = ({ value }) =>
  value!.toString() === "garbage"
    ? { kind: "unreadable", reason: "unreadable", detail: "garbage" }
    : { kind: "decoded", value: value!.toString() };

function tableOf(decode = asText, unknownSchemaWaitMs = 60_000) {
  const effects = testEffects();
  const table = createTable({
    kafka,
    topic,
    decode,
    unknownSchemaWaitMs,
    sessionTimeoutMs: stack.sessionTimeoutMs,
    ...effects,
  });
  closing.push(() => table.stop(Date.now() + 2000));
  return { table, effects };
}

/** Writes keys a to m to partition 0, the others to 1. */
async function write(...pairs: readonly (readonly [string, string | null])[]) {
  await producer.sendBatch(
    pairs.map(([key, value]) => ({
      topic,
      partition: key < "n" ? 0 : 1,
      key: Buffer.from(key),
      value: value === null ? null : Buffer.from(value),
    })),
  );
}

const contents = (table: Table<string>): Record<string, string> =>
  Object.fromEntries(table.entries());

describe("a table", () => {
  test("has after its start the newest value of each key of the topic, without deleted keys", async () => {
    await write(["a", "1"], ["b", "1"], ["x", "1"], ["a", "2"], ["b", null]);
    const { table, effects } = tableOf();

    await table.start();

    expect(contents(table)).toEqual({ a: "2", x: "1" });
    expect(table.size).toBe(2);
    expect(table.get("b")).toBeUndefined();
    expect(table.health().ready[0]!.isOk).toBe(true);
    expect(await effects.meter.render()).toContain(
      `postrider_table_entries{topic="${topic}"`,
    );
  });

  test("leaves out a record with 1,001 headers, keeps its key's value, and is not behind", async () => {
    await write(["a", "1"]);
    const many = Array.from({ length: 1_001 }, () => Buffer.from("h"));
    await producer.sendBatch([
      {
        topic,
        partition: 0,
        key: Buffer.from("a"),
        value: Buffer.from("2"),
        headers: { many },
      },
    ]);
    await write(["b", "1"]);
    const { table, effects } = tableOf();

    await table.start();

    expect(contents(table)).toEqual({ a: "1", b: "1" });
    expect(table.health().ready[0]!.isOk).toBe(true);
    expect(effects.log.of("table.recordLeftOut")).toHaveLength(1);
  });

  test("of an empty topic is ready at once", async () => {
    const { table } = tableOf();

    await table.start();

    expect(table.size).toBe(0);
    await table.readToEnd();
  });

  test("follows the topic and reports each change", async () => {
    await write(["a", "1"]);
    const { table } = tableOf();
    const changes: [string, string | undefined][] = [];
    table.onChange((key, value) => changes.push([key, value]));
    await table.start();

    await write(["a", "2"], ["z", "1"]);
    await table.readToEnd();
    await write(["a", null]);
    await table.readToEnd();

    expect(contents(table)).toEqual({ z: "1" });
    expect(changes).toHaveLength(4);
    expect(changes.at(0)).toEqual(["a", "1"]);
    expect(changes.at(-1)).toEqual(["a", undefined]);
  });

  test("is read to the position of a record in a transaction, and past the transaction's markers", async () => {
    const { table } = tableOf();
    await table.start();
    const fenced = await kafka.fencedProducer(`${topic}.writer`);
    closing.push(() => fenced.disconnect());

    for (const value of ["1", "2", "3"]) {
      const [place] = await fenced.send([
        {
          topic,
          partition: 0,
          key: Buffer.from("a"),
          value: Buffer.from(value),
        },
      ]);
      await table.readTo(place!);

      expect(table.get("a")).toBe(value);
    }
    await table.readToEnd();

    // A second table must read to the end of the log, which lies behind the last marker; a marker is not a record.
    const second = tableOf().table;
    await second.start();
    expect(contents(second)).toEqual({ a: "3" });
  });

  test("leaves out a record that cannot be read, and logs that; the key keeps its value", async () => {
    await write(["a", "1"], ["a", "garbage"], ["b", "1"]);
    const { table, effects } = tableOf();

    await table.start();

    expect(contents(table)).toEqual({ a: "1", b: "1" });
    expect(effects.log.of("table.recordLeftOut")[0]!.fields).toMatchObject({
      topic,
      partition: 0,
      offset: 1,
    });
  });

  test("waits for a schema it does not know, and takes the record when it comes", async () => {
    await write(["a", "1"], ["b", "late"]);
    let isKnown = false;
    const { table } = tableOf((record) =>
      record.value!.toString() === "late" && !isKnown
        ? { kind: "unknown_schema", schema: "late" }
        : asText(record),
    );
    let isStarted = false;
    const started = table.start().then(() => (isStarted = true));
    await waitFor(() => table.get("a") === "1");

    expect(isStarted).toBe(false);
    isKnown = true;
    await started;

    expect(contents(table)).toEqual({ a: "1", b: "late" });
  });

  test("starts without a record whose schema does not come in time", async () => {
    await write(["a", "late"], ["b", "1"]);
    const { table } = tableOf(
      (record) =>
        record.value!.toString() === "late"
          ? { kind: "unknown_schema", schema: "late" }
          : asText(record),
      500,
    );

    await table.start();

    expect(contents(table)).toEqual({ b: "1" });
  });

  test("goes on at the log's start when records are deleted under it", async () => {
    await write(["a", "1"], ["b", "1"]);
    await withKafkajsAdmin(async (admin) => {
      // kafkajs deletes records only of topics whose metadata it has loaded.
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({
        topic,
        partitions: [{ partition: 0, offset: "1" }],
      });
    });
    const { table } = tableOf();

    await table.start();

    expect(contents(table)).toEqual({ b: "1" });
  });

  test("is read anew when its topic was replaced, and loses keys that are not found again", async () => {
    await write(["a", "1"], ["b", "1"], ["x", "1"]);
    const { table, effects } = tableOf();
    await table.start();
    expect(table.size).toBe(3);

    await replaceTopic();
    await write(["b", "2"]);

    await waitFor(() => table.size === 1 && table.get("b") === "2");
    expect(effects.log.of("table.readAnew").length).toBeGreaterThan(0);
  });
});

describe("a table whose leaders are away", () => {
  test("reports how long ago it was read to its end, even if its group answers, and becomes current again by itself", async () => {
    // More records than the new topic will hold: the table reads a log anew only if it is shorter than its position.
    await write(["a", "1"], ["a", "2"], ["a", "3"]);
    const { table, effects } = tableOf();
    await table.start();
    expect(table.behind()).toBeNull();

    await replaceTopic(async () => {
      const detail =
        /^\S+ was last read to its end \d+ ms ago; 1 entries, as they were$/;
      await waitFor(() => detail.test(table.behind() ?? ""));
      expect(table.health().ready).toMatchObject([
        { isOk: false, detail: expect.stringMatching(detail) },
      ]);
    });
    await write(["b", "2"]);

    // "Current" is as of a question of the last seconds, which may have come before the write.
    await waitFor(() => table.get("b") === "2" && table.behind() === null);
    expect(contents(table)).toEqual({ b: "2" });
    for (const event of ["table.fellBehind", "table.caughtUp"])
      expect(effects.log.of(event)).not.toHaveLength(0);
  });

  test("is current while nobody writes, however long", async () => {
    const clock = { ...testEffects().clock };
    const { monotonic } = clock;
    let passedMs = 0;
    clock.monotonic = () => monotonic() + passedMs;
    const table = createTable({
      kafka,
      topic,
      decode: asText,
      sessionTimeoutMs: stack.sessionTimeoutMs,
      ...testEffects({ clock }),
    });
    closing.push(() => table.stop(Date.now() + 2000));
    await table.start();

    passedMs = 3_600_000;
    expect(table.behind()).not.toBeNull();

    await waitFor(() => table.behind() === null);
  });
});

describe("a table that is stopped", () => {
  test("rejects calls that wait for it", async () => {
    const { table } = tableOf();
    await table.start();
    const waiting = expect(
      table.readTo({ partition: 0, offset: 1_000_000 }),
    ).rejects.toThrow(TableStoppedError);

    await table.stop(Date.now() + 1000);
    await table.stop(Date.now() + 1000);

    await waiting;
    await expect(table.readTo({ partition: 0, offset: 0 })).rejects.toThrow(
      TableStoppedError,
    );
  });
});
