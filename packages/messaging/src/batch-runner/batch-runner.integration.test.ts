import { afterEach, expect, test } from "@jest/globals";
import { FakeTable, testEffects, useStack, waitFor } from "@postrider/testkit";
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
function createMember(topic: string) {
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
    limits: { lingerMs: 1, sessionTimeoutMs: stack.sessionTimeoutMs },
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
