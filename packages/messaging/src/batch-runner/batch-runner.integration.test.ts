import { afterEach, expect, test } from "@jest/globals";
import { FakeTable, testEffects, useStack, waitFor } from "@postrider/testkit";
import { Kafka as Client, logLevel } from "kafkajs";
import { createBatchRunner } from "./batch-runner.ts";
import type { BatchRunner } from "./batch-runner-options.ts";

const stack = useStack();
const running: BatchRunner[] = [];

afterEach(async () => {
  for (const runner of running.splice(0)) await runner.stop(Date.now() + 5_000);
});

async function createTopic(name: string, partitions: number): Promise<string> {
  const topic = stack.prefix + name;
  const admin = stack.kafka().admin();
  await admin.connect();
  await admin.createTopics([
    { topic, partitions, replicationFactor: -1, config: {} },
  ]);
  await admin.disconnect();
  return topic;
}

/** A runner whose rows are the records' values. */
function createMember(topic: string, lingerMs = 1) {
  const effects = testEffects();
  const target = new FakeTable();
  const runner = createBatchRunner<string, string>({
    name: "record",
    topic,
    groupId: `${topic}-group`,
    stage: { rowOf: ({ value }) => value },
    decode: ({ value }) => ({ kind: "decoded", value: String(value) }),
    target,
    kafka: stack.kafka(),
    output: { send: () => Promise.resolve() },
    deadLetterOf: () => {
      throw new Error("every record becomes a row");
    },
    ...effects,
    limits: { lingerMs, sessionTimeoutMs: stack.sessionTimeoutMs },
  });
  running.push(runner);
  const owned = () =>
    (effects.log.of("partitions.assigned").at(-1)?.fields["partitions"] ??
      []) as number[];
  return { runner, target, owned };
}

test("while a stopping runner waits for its insert, it is given no partition that another has left", async () => {
  const topic = await createTopic("leaving", 6);
  const [stopping, gone, staying] = [1, 2, 3].map(() => createMember(topic));
  const members = [stopping!, gone!, staying!];
  await Promise.all(members.map(({ runner }) => runner.start()));
  await waitFor(() => members.every(({ owned }) => owned().length === 2));
  const answerInserts = stopping!.target.holdInserts();
  const producer = await stack.kafka().createProducer();
  const produce = (partitions: readonly number[], value: string) =>
    producer.sendBatch(
      partitions.map((partition) => ({
        topic,
        partition,
        key: null,
        value: Buffer.from(`${value}${partition}`),
      })),
    );
  const left = gone!.owned();
  await produce(stopping!.owned(), "held");
  await waitFor(() => stopping!.target.tokens.length > 0);

  const stopped = stopping!.runner.stop(Date.now() + 60_000);
  await gone!.runner.stop(Date.now() + 10_000);
  await produce(left, "left");

  await waitFor(() => staying!.target.rows.length === 2);
  expect(staying!.target.rows.toSorted()).toEqual(
    left.map((partition) => `left${partition}`).toSorted(),
  );
  expect(stopping!.target.rows).toEqual([]); // it is still stopping
  answerInserts();
  await stopped;
  await producer.disconnect();
});

/** Writes values to partitions in one transaction; returns how it ends. */
async function transactionalWriter(topic: string) {
  const client = new Client({
    brokers: [...stack.brokers],
    logLevel: logLevel.NOTHING,
  });
  const producer = client.producer({
    idempotent: true,
    transactionalId: `${topic}-tx`,
    maxInFlightRequests: 1,
  });
  await producer.connect();
  return {
    async open(...values: readonly [partition: number, value: string][]) {
      const transaction = await producer.transaction();
      const messages = values.map(([partition, value]) => ({
        partition,
        value,
      }));
      await transaction.send({ topic, messages });
      return transaction;
    },
    disconnect: () => producer.disconnect(),
  };
}

async function placesOf(topic: string) {
  const admin = stack.kafka().admin();
  await admin.connect();
  try {
    const ends = await admin.fetchLogRanges([topic]);
    const stored = await admin.fetchCommitted(`${topic}-group`, [topic]);
    return stored
      .map(({ partition, offset, metadata }) => ({
        partition,
        offset,
        metadata,
        end: ends.find((each) => each.partition === partition)?.end,
      }))
      .toSorted((a, b) => a.partition - b.partition);
  } finally {
    await admin.disconnect();
  }
}

test("of transactions the committed records are rows; what is aborted or still open is none, and only the open one holds up its partition", async () => {
  const topic = await createTopic("transactions", 2);
  const { runner, target } = createMember(topic);
  await runner.start();
  const writer = await transactionalWriter(topic);

  await (await writer.open([0, "a0"], [1, "a1"])).commit();
  await (await writer.open([0, "aborted"])).abort();
  await (await writer.open([0, "b0"])).commit();
  const open = await writer.open([0, "open"]);
  const plain = await stack.kafka().createProducer();
  await plain.sendBatch(
    [0, 1].map((partition) => ({
      topic,
      partition,
      key: null,
      value: Buffer.from(`plain${partition}`),
    })),
  );

  await waitFor(() => target.rows.length === 4);
  // a0, its marker, the aborted record, its marker, b0, its marker; then the open transaction.
  await waitFor(async () => (await placesOf(topic))[0]?.offset === 6);
  expect(target.rows.toSorted()).toEqual(["a0", "a1", "b0", "plain1"]);
  expect(runner.health().live.every(({ isOk }) => isOk)).toBe(true);
  await open.abort();

  await waitFor(() => target.rows.includes("plain0"));
  await waitFor(async () =>
    (await placesOf(topic)).every(
      ({ offset, end, metadata }) => offset === end && metadata === "",
    ),
  );
  expect(target.rows).not.toContain("open");
  expect(target.rows).not.toContain("aborted");
  await plain.disconnect();
  await writer.disconnect();
});

test("an insert of both partitions that is repeated has the same rows under the same token, with markers and aborted records among them", async () => {
  const topic = await createTopic("transactions-repeated", 2);
  const writer = await transactionalWriter(topic);
  await (await writer.open([0, "a0"], [1, "a1"])).commit();
  await (await writer.open([0, "aborted"], [1, "aborted"])).abort();
  await (await writer.open([0, "b0"], [1, "b1"])).commit();
  const first = createMember(topic, 1_500);
  const answerInserts = first.target.holdInserts();
  await first.runner.start();
  await waitFor(() => first.target.tokens.length > 0);
  // The insert never answers: the intent stays.
  await first.runner.stop(Date.now() + 200);
  answerInserts();
  const announced = await placesOf(topic);
  // Five offsets each: a record, a marker, an aborted record, a marker, a record.
  expect(announced.map(({ metadata }) => metadata)).toEqual([
    expect.stringMatching(/"intent":2.*\[\[0,0,5,\S*\[1,0,5,/),
    announced[0]?.metadata,
  ]);

  const second = createMember(topic);
  await second.runner.start();
  await waitFor(() => second.target.rows.length === 4);

  expect(second.target.rows.toSorted()).toEqual(["a0", "a1", "b0", "b1"]);
  expect(second.target.tokens[0]).toBe(first.target.tokens[0]);
  await waitFor(async () =>
    (await placesOf(topic)).every(
      ({ offset, end, metadata }) => offset === end && metadata === "",
    ),
  );
  await writer.disconnect();
});
