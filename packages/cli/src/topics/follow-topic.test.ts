import { expect, test } from "@jest/globals";
import type { Kafka } from "@postrider/messaging";
import { FakeConsumer, fakeClock, soon } from "@postrider/testkit";
import { followTopic } from "./follow-topic.ts";

test("a topic is followed from its end once Kafka tells where all of its partitions end", async () => {
  const consumer = new FakeConsumer({ topic: "t", clock: fakeClock() });
  consumer.append(0, "old");
  consumer.append(1, "old");
  const ranges = consumer.fetchLogRanges.bind(consumer);
  const answers = [
    () => Promise.reject(new Error("away")),
    () => ranges([{ topic: "t", partition: 0 }]), // partition 1 has no leader
  ];
  consumer.fetchLogRanges = (partitions) =>
    answers.shift()?.() ?? ranges(partitions);
  const seen: string[] = [];
  const errors: unknown[] = [];
  let isReady = false;
  const followed = followTopic({
    kafka: { consumer: () => consumer } as unknown as Kafka, // it uses no more of it
    topic: "t",
    groupPrefix: "",
    fromBeginning: false,
    onRecord: ({ value }) => void seen.push(String(value)),
    onReady: () => (isReady = true),
    onError: (error) => void errors.push(error),
  });

  consumer.assign(0, 1);
  await soon(() => isReady);
  consumer.append(0, "new");
  consumer.append(1, "new");
  consumer.deliver();

  expect({ seen, errors }).toEqual({ seen: ["new", "new"], errors: [] });
  await followed.stop();
});
