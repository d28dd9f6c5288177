/** How long a broker without records keeps a member's fetches. */
import { createRequire } from "node:module";
import { afterEach, expect, test } from "@jest/globals";
import { testEffects, useStack, waitFor } from "@postrider/testkit";
import { createKafka } from "./kafka.ts";
import type { Consumer } from "../ports.ts";

const stack = useStack();
const kafka = createKafka(
  { brokers: stack.brokers, clientId: "fetch-waits-test" },
  testEffects(),
);
const running: Consumer[] = [];
/** The waits of all fetches so far, ms. */
const waits: number[] = [];
const LONGEST_MS = 2_900;

// kafkajs is CommonJS: the same instances of its modules that our adapters use.
const { prototype: broker } = createRequire(import.meta.url)(
  "kafkajs/src/broker",
) as { prototype: { fetch(request: { maxWaitTime: number }): unknown } };
const { fetch } = broker;
broker.fetch = function (request) {
  waits.push(request.maxWaitTime);
  return fetch.call(this, request);
};

afterEach(async () => {
  for (const consumer of running.splice(0)) await consumer.stop();
  waits.length = 0;
});

/** Joins, with one fetch of `LONGEST_MS` under way. */
async function fetching(topic: string) {
  const seen: string[] = [];
  const consumer = kafka.consumer({
    groupId: `${topic}-group`,
    topics: [topic],
    sessionTimeoutMs: stack.sessionTimeoutMs,
    maxWaitMs: LONGEST_MS,
  });
  running.push(consumer);
  await consumer.start({
    assigned: (_, partitions) => consumer.resume(partitions),
    revoking: () => undefined,
    batch: (_, { records }) =>
      void seen.push(...records.map(({ value }) => String(value))),
    outOfRange: () => undefined,
    connected: () => undefined,
  });
  await waitFor(() => waits.includes(LONGEST_MS));
  return { consumer, seen };
}

async function produce(topic: string, value: string): Promise<void> {
  const producer = await kafka.createProducer();
  const record = { topic, partition: 0, key: null, value: Buffer.from(value) };
  await producer.sendBatch([record]);
  await producer.disconnect();
}

test("while a partition is paused fetches are short, so what is resumed is read soon", async () => {
  const [topic] = await stack.createTopics("paused");
  const { consumer, seen } = await fetching(topic!);
  const place = { topic: topic!, partition: 0 };
  consumer.pause([place]);
  await produce(topic!, "while paused"); // ends the fetch under way; what it brought is dropped
  await waitFor(() => waits.at(-1) === 100);
  expect(seen).toEqual([]);

  consumer.resume([place]);

  await waitFor(() => seen.length === 1);
  await waitFor(() => waits.at(-1) === LONGEST_MS);
});

test("what is paused and resumed during one fetch is read with it", async () => {
  const [topic] = await stack.createTopics("resumed");
  const { consumer, seen } = await fetching(topic!);
  const place = { topic: topic!, partition: 0 };
  consumer.pause([place]);
  consumer.resume([place]);

  await produce(topic!, "one");

  await waitFor(() => seen.length === 1);
});
