import { expect, test } from "@jest/globals";
import { topicPlan } from "@postrider/messaging";
import { growing } from "./topic-plan.ts";

const small = topicPlan({ prefix: "", tiers: [], partitions: 2 });
const large = topicPlan({ prefix: "", tiers: [], partitions: 8 });
const admin = { describeTopics: () => Promise.resolve(small) };

test("--grow never grows a compacted topic: its keys would have records in two partitions", async () => {
  const { topics, kept } = await growing(admin, large, { grow: true });

  const counts = new Map(topics.map((one) => [one.topic, one.partitions]));
  expect(counts.get("endpoints")).toBe(2);
  expect(counts.get("deliveries")).toBe(8);
  expect(kept).toEqual([
    { topic: "endpoints", partitions: 2, wanted: 8, isTable: true },
  ]);
});
