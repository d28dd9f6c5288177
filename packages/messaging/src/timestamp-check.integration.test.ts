import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { testEffects, useStack, waitFor } from "@postrider/testkit";
import { createKafka } from "./kafkajs/kafka.ts";
import type { Admin } from "./ports.ts";
import { createTimestampCheck } from "./timestamp-check.ts";

const stack = useStack();
const kafka = () =>
  createKafka(
    { brokers: stack.brokers, clientId: "timestamp-check-test" },
    testEffects(),
  );
let admin: Admin;

beforeEach(async () => {
  admin = kafka().admin();
  await admin.connect();
});

afterEach(() => admin.disconnect());

async function make(name: string, config: Record<string, string>) {
  const topic = stack.prefix + name;
  await admin.createTopics([
    { topic, partitions: 1, replicationFactor: -1, config },
  ]);
  return topic;
}

test("a topic with its producers' timestamps is warned of at boot, with the command that changes it; others are not", async () => {
  const right = await make("right", {
    "message.timestamp.type": "LogAppendTime",
  });
  const byBroker = await make("by-broker", {});
  const byTopic = await make("by-topic", {
    "message.timestamp.type": "CreateTime",
  });
  const { log } = testEffects();
  const check = createTimestampCheck({
    kafka: kafka(),
    topics: [right, byBroker, byTopic],
    log,
  });

  await check.start();
  await waitFor(() => log.of("topic.misconfigured").length === 2);
  await check.stop(Date.now());

  const fields = log.of("topic.misconfigured").map((line) => line.fields);
  const named = fields.map(({ topic }) => String(topic)).toSorted();
  expect(named).toEqual([byBroker, byTopic]);
  expect(fields[0]).toMatchObject({
    setting: "message.timestamp.type",
    value: "CreateTime",
    wanted: "LogAppendTime",
    toMend: expect.stringMatching(
      /^postrider topics apply, or: kafka-configs\.sh .*--add-config message\.timestamp\.type=LogAppendTime$/,
    ),
  });
});

test("a check of topics that do not exist waits for them, and ends when it is stopped", async () => {
  const { log } = testEffects();
  const topics = [`${stack.prefix}nowhere`];
  const check = createTimestampCheck({ kafka: kafka(), topics, log });

  await check.start();
  await check.stop(Date.now());

  expect(log.lines).toEqual([]);
});
