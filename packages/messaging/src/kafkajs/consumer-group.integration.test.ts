/** What a member learns of its group, and what it reads of partitions that others own. */
import { afterEach, expect, test } from "@jest/globals";
import { testEffects, useStack, waitFor } from "@postrider/testkit";
import { createKafka } from "./kafka.ts";
import type { Consumer } from "../ports.ts";

const stack = useStack();
const kafka = createKafka(
  { brokers: stack.brokers, clientId: "group-test" },
  testEffects(),
);
const running: Consumer[] = [];

afterEach(async () => {
  for (const consumer of running.splice(0)) await consumer.stop();
});

/** Joins the topic's group; `assignments` has, of each assignment, its partitions and whether all members have the ability. */
async function join(topic: string, ability?: string) {
  const consumer = kafka.consumer({
    groupId: `${topic}-group`,
    topics: [topic],
    sessionTimeoutMs: stack.sessionTimeoutMs,
    ...(ability !== undefined && { ability }),
  });
  running.push(consumer);
  const assignments: { count: number; allAble: boolean | undefined }[] = [];
  await consumer.start({
    assigned: (_, { length }, allAble) =>
      void assignments.push({ count: length, allAble }),
    revoking: () => undefined,
    batch: () => undefined,
    outOfRange: () => undefined,
    connected: () => undefined,
  });
  return { consumer, assignments };
}

test("a group has an ability while each of its members has it, and an older member that joins ends that", async () => {
  const [topic] = await stack.createTopics("abilities");
  const first = await join(topic!, "span");
  await waitFor(() => first.assignments.at(-1)?.allAble === true);

  const older = await join(topic!);
  await waitFor(() => first.assignments.at(-1)?.allAble === false);
  await waitFor(() => older.assignments.at(-1)?.count === 1);

  await older.consumer.stop();
  await waitFor(() => first.assignments.at(-1)?.allAble === true);
  expect(first.assignments.at(-1)).toEqual({ count: 2, allAble: true });
});

test("a member reads a partition that another one owns, from any offset of its log", async () => {
  const [topic] = await stack.createTopics("others");
  const producer = await kafka.createProducer();
  await producer.sendBatch(
    [0, 1, 2].flatMap((n) =>
      [0, 1].map((partition) => ({
        topic: topic!,
        partition,
        key: null,
        value: Buffer.from(`${partition}/${n}`),
      })),
    ),
  );
  await producer.disconnect();
  const { consumer, assignments } = await join(topic!);
  await join(topic!);
  await waitFor(() => assignments.at(-1)?.count === 1);

  const read = async (partition: number) =>
    await waitFor(() =>
      consumer.fetchOnce({ topic: topic!, partition }, 1, 1 << 20),
    );

  for (const partition of [0, 1]) {
    const { records, lastOffset } = await read(partition);
    expect(records.map(({ value }) => String(value))).toEqual([
      `${partition}/1`,
      `${partition}/2`,
    ]);
    expect(lastOffset).toBe(2);
  }
  await expect(
    consumer.fetchOnce({ topic: topic!, partition: 0 }, 99, 1 << 20),
  ).rejects.toThrow();
});
