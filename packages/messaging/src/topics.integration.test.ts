import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { testEffects, useStack, waitFor } from "@postrider/testkit";
import { createKafka } from "./kafkajs/kafka.ts";
import type { Admin } from "./ports.ts";
import { applyTopics, planTopics, topicPlan } from "./topics.ts";

const stack = useStack();
let admin: Admin;

beforeAll(async () => {
  admin = createKafka(
    { brokers: stack.brokers, clientId: "topics-test" },
    testEffects(),
  ).admin();
  await admin.connect();
});

afterAll(() => admin.disconnect());

const planOf = (name: string) =>
  topicPlan({
    prefix: `${stack.prefix}${name}.`,
    tiers: [{ topic: "retry.1s" }, { topic: "retry.1h" }],
    partitions: 2,
    tierPartitions: 1,
  });

describe("a plan", () => {
  test("has changes at first, and none once applied", async () => {
    const plan = planOf("fresh");

    const before = await planTopics(admin, plan);
    await applyTopics(admin, plan);
    const after = await planTopics(admin, plan);

    expect(before.changes.map((change) => change.kind)).toEqual(
      plan.map(() => "create"),
    );
    expect(after).toEqual({ changes: [], warnings: [] });
    const found = await admin.describeTopics(plan.map((t) => t.topic));
    expect(found.map((t) => [t.topic, t.partitions, t.config])).toEqual(
      plan.map((t) => [t.topic, t.partitions, t.config]),
    );
  });

  test("adds partitions and corrects settings, and keeps settings that it does not name", async () => {
    const [events] = planOf("changed");
    const { topic } = events!;
    await admin.createTopics([
      {
        topic,
        partitions: 1,
        replicationFactor: -1,
        config: {
          "message.timestamp.type": "CreateTime",
          "segment.ms": "1234567",
        },
      },
    ]);

    const { changes } = await applyTopics(admin, [events!]);

    expect(changes).toEqual([
      { kind: "add_partitions", topic, from: 1, to: 2 },
      {
        kind: "alter_config",
        topic,
        settings: {
          "cleanup.policy": { from: null, to: "delete" },
          "retention.ms": { from: null, to: `${7 * 86_400_000}` },
          "message.timestamp.type": { from: "CreateTime", to: "LogAppendTime" },
        },
      },
    ]);
    // The broker that answers may learn of a change a moment after the controller has made it.
    await waitFor(async () => {
      const [found] = await admin.describeTopics([topic]);
      expect(found).toMatchObject({
        partitions: 2,
        config: { ...events!.config, "segment.ms": "1234567" },
      });
      return true;
    });
  });
});

describe("the admin port", () => {
  test("leaves out topics that do not exist", async () => {
    const missing = `${stack.prefix}missing`;

    expect(await admin.describeTopics([missing])).toEqual([]);
    expect(await admin.partitionCounts([missing])).toEqual(new Map());
    await admin.deleteTopics([missing]);
  });

  test("creates missing topics, even if others exist already", async () => {
    const [one, two] = planOf("beside");
    await admin.createTopics([one!]);

    await admin.createTopics([one!, two!]);

    expect(await admin.partitionCounts([one!.topic, two!.topic])).toEqual(
      new Map([
        [one!.topic, 2],
        [two!.topic, 2],
      ]),
    );
    // Right after a topic is made, its leaders may refuse to be its leaders.
    const ranges = await waitFor(() => admin.fetchLogRanges([one!.topic]));
    expect(ranges.toSorted((a, b) => a.partition - b.partition)).toEqual([
      { topic: one!.topic, partition: 0, start: 0, end: 0 },
      { topic: one!.topic, partition: 1, start: 0, end: 0 },
    ]);
  });

  test("reads what a group has committed; an offset is null if there is no commit", async () => {
    const [one] = planOf("committed");
    await admin.createTopics([one!]);

    const committed = await admin.fetchCommitted(`${stack.prefix}group`, [
      one!.topic,
    ]);

    expect(committed).toHaveLength(2);
    expect(committed[0]).toMatchObject({ offset: null, metadata: "" });
  });

  test("reads a broker's own settings", async () => {
    const settings = await admin.brokerSettings([
      "min.insync.replicas",
      "offset.metadata.max.bytes",
    ]);

    expect(Number(settings.get("min.insync.replicas"))).toBeGreaterThan(0);
    expect(settings.get("offset.metadata.max.bytes")).toBe("4096");
    expect(await admin.brokerCount()).toBeGreaterThan(0);
  });
});
