import { expect, test } from "@jest/globals";
import type { Admin } from "./ports.ts";
import { planTopics, topicName, topicPlan } from "./topics.ts";

const plan = topicPlan({
  prefix: "postrider.",
  tiers: [{ topic: "retry.1s" }, { topic: "retry.1h" }],
});

/** A fake of three brokers that have every topic, with these settings. */
function clusterOf(
  own: Readonly<Record<string, string>>,
  broker: string,
): Admin {
  const found = plan.map((t) => ({ ...t, config: { ...t.config, ...own } }));
  // The fake has only what the plan calls, so the cast is safe here.
  return {
    describeTopics: () => Promise.resolve(found),
    brokerCount: () => Promise.resolve(3),
    brokerSettings: () =>
      Promise.resolve(new Map([["min.insync.replicas", broker]])),
  } as unknown as Admin;
}

test("every topic is planned under the prefix, tiers by their own name", () => {
  expect(plan.map((topic) => topic.topic)).toEqual(
    [
      "events",
      "deliveries",
      "retry.1s",
      "retry.1h",
      "dead-letters",
      "attempts",
      "intake",
      "signals",
      "audit",
      "endpoints",
      "control",
      "schemas",
    ].map((name) => topicName("postrider.", name)),
  );
});

test.each([
  ["events", 12, "delete", "LogAppendTime", "604800000"],
  ["deliveries", 12, "delete", undefined, "604800000"],
  ["retry.1s", 4, "delete", "LogAppendTime", "604800000"],
  ["dead-letters", 12, "delete", undefined, "2592000000"],
  ["endpoints", 12, "compact", undefined, undefined],
  ["control", 1, "compact", undefined, undefined],
  ["schemas", 1, "compact", undefined, undefined],
])(
  "%s has %d partitions, is kept by %s and timed by %s",
  (name, partitions, cleanup, time, retention) => {
    const topic = plan.find((t) => t.topic === `postrider.${name}`)!;

    expect(topic.partitions).toBe(partitions);
    expect(topic.config["cleanup.policy"]).toBe(cleanup);
    expect(topic.config["message.timestamp.type"]).toBe(time);
    expect(topic.config["retention.ms"]).toBe(retention);
  },
);

test("three brokers and one in-sync replica are warned of, by topic", async () => {
  const { changes, warnings } = await planTopics(clusterOf({}, "1"), plan);

  expect(changes).toEqual([]);
  expect(warnings).toHaveLength(plan.length);
  expect(warnings[0]).toContain("postrider.events: min.insync.replicas is 1");
});

test("two in-sync replicas are enough, whether broker or topic says so", async () => {
  const byBroker = await planTopics(clusterOf({}, "2"), plan);
  const byTopic = await planTopics(
    clusterOf({ "min.insync.replicas": "2" }, "1"),
    plan,
  );

  expect(byBroker.warnings).toEqual([]);
  expect(byTopic.warnings).toEqual([]);
});
