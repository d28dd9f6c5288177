import { afterAll, beforeAll, expect, test } from "@jest/globals";
import { leadersOf, startStack, type Stack } from "@postrider/local-stack";
import { testEffects, waitFor } from "@postrider/testkit";
import { createKafka } from "./kafka.ts";

let stack: Stack;
const closing: (() => Promise<unknown>)[] = [];
beforeAll(async () => {
  stack = await startStack({ provider: "local", brokers: 3 });
});
afterAll(async () => {
  for (const server of stack.kafka.servers) server.thaw();
  for (const close of closing) await close();
  await stack.stop();
});

const MOVES_ON = { timeoutMs: 60_000, everyMs: 100 };

test("while a broker is silent, a producer, a group and a client that starts meanwhile go on with the others", async () => {
  const { brokers, servers } = stack.kafka;
  const topic = "silenced";
  const kafka = createKafka({ brokers, clientId: "silent" }, testEffects());
  const admin = kafka.admin();
  await admin.connect();
  closing.push(() => admin.disconnect());
  await admin.createTopics([
    { topic, partitions: 6, replicationFactor: -1, config: {} },
  ]);
  const producer = await kafka.createProducer();
  closing.push(() => producer.disconnect());
  const read = new Map<number, Set<string>>();
  const consumer = kafka.consumer({
    groupId: "silenced",
    topics: [topic],
    sessionTimeoutMs: 6_000,
  });
  closing.push(() => consumer.stop());
  await consumer.start({
    assigned: (_epoch, partitions) => consumer.resume(partitions),
    revoking: () => undefined,
    batch: (_epoch, { partition, records }) => {
      const seen = read.get(partition) ?? new Set();
      for (const { value } of records) seen.add(String(value));
      read.set(partition, seen);
    },
    outOfRange: () => undefined,
    connected: () => undefined,
  });
  const send = async (value: string, by = producer) =>
    await by.sendBatch(
      Array.from({ length: 6 }, (_, partition) => ({
        topic,
        partition,
        key: null,
        value: Buffer.from(value),
      })),
    );
  const isRead = (value: string) => () =>
    read.size === 6 && [...read.values()].every((seen) => seen.has(value));
  await send("before");
  await waitFor(isRead("before"), MOVES_ON);

  servers[0]!.freeze();
  await waitFor(
    async () => !(await leadersOf(brokers.slice(1), topic)).includes(1),
    MOVES_ON,
  );
  let sender = producer;
  await waitFor(async () => {
    try {
      await send("meanwhile", sender);
      return true;
    } catch {
      sender = await kafka.createProducer();
      closing.push(() => sender.disconnect());
      return false;
    }
  }, MOVES_ON);
  await waitFor(isRead("meanwhile"), MOVES_ON);
  // Another list of brokers: what is known of them is not shared. The first one is the silent one.
  const [first, second, third] = brokers;
  const late = createKafka(
    { brokers: [first!, third!, second!], clientId: "late" },
    testEffects(),
  );
  const starting = late.admin();
  await starting.connect();
  closing.push(() => starting.disconnect());
  // A broker has no ids for producers until the next controller gives it some; the output tries again then, too.
  const newcomer = await waitFor(() => late.createProducer(), MOVES_ON);
  closing.push(() => newcomer.disconnect());
  await send("late", newcomer);
  await waitFor(isRead("late"), MOVES_ON);

  servers[0]!.thaw();
  await send("after", sender);
  await waitFor(isRead("after"), MOVES_ON);
  expect([...read.values()].map((seen) => [...seen])).toEqual(
    Array.from({ length: 6 }, () => ["before", "meanwhile", "late", "after"]),
  );
});
