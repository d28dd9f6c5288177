import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { testEffects, useStack, waitFor } from "@postrider/testkit";
import { createAskedAdmin, type AskedAdmin } from "./asked-admin.ts";
import { createKafka } from "./kafkajs/kafka.ts";
import type { Admin } from "./ports.ts";
import { createSettingsCheck } from "./settings-check.ts";

const stack = useStack();
const kafka = () =>
  createKafka(
    { brokers: stack.brokers, clientId: "settings-check-test" },
    testEffects(),
  );
let admin: Admin;
let asked: AskedAdmin;

beforeEach(async () => {
  admin = kafka().admin();
  await admin.connect();
  asked = createAskedAdmin(() => kafka().admin());
});

afterEach(async () => {
  await asked.stop(0);
  await admin.disconnect();
});

const EVENTS = {
  "cleanup.policy": "delete",
  "retention.ms": `${7 * 86_400_000}`,
  "message.timestamp.type": "LogAppendTime",
};

function described(name: string, config: Readonly<Record<string, string>>) {
  const topic = stack.prefix + name;
  return { topic, partitions: 1, replicationFactor: -1, config };
}

test("each setting of a topic that is not the plan's is warned of at boot, with the command that changes it; a default of the broker that is the plan's is not", async () => {
  await admin.createTopics([
    described("right", EVENTS),
    described("by-broker", {}),
    described("by-topic", { ...EVENTS, "cleanup.policy": "compact" }),
    described("table", {}),
  ]);
  const { log } = testEffects();
  const check = createSettingsCheck({
    admin: asked,
    plan: [
      ...["right", "by-broker", "by-topic"].map((name) =>
        described(name, EVENTS),
      ),
      described("table", { "cleanup.policy": "compact" }),
    ],
    log,
  });

  await check.start();
  await waitFor(() => log.of("topic.misconfigured").length === 3);
  await check.stop(Date.now());

  const fields = log.of("topic.misconfigured").map((line) => line.fields);
  expect(fields.map(({ what }) => what)).toEqual([
    `set message.timestamp.type of ${stack.prefix}by-broker: CreateTime → LogAppendTime`,
    `set cleanup.policy of ${stack.prefix}by-topic: compact → delete`,
    `set cleanup.policy of ${stack.prefix}table: delete → compact`,
  ]);
  expect(fields[0]).toMatchObject({
    setting: "message.timestamp.type",
    value: "CreateTime",
    wanted: "LogAppendTime",
    toMend: expect.stringMatching(
      /^postrider topics apply, or: kafka-configs\.sh .*--add-config message\.timestamp\.type=LogAppendTime$/,
    ),
  });
  // This Kafka refuses nothing, and its brokers are set as they should be.
  expect(log.of("settings.notShown")).toEqual([]);
  expect(log.of("broker.misconfigured")).toEqual([]);
  expect(await asked.ask((one) => one.clusterOperations())).toContain(
    "DescribeConfigs",
  );
});

test("a check of topics that do not exist waits for them, and ends when it is stopped", async () => {
  const { log } = testEffects();
  const plan = [described("nowhere", EVENTS)];
  const check = createSettingsCheck({ admin: asked, plan, log });

  await check.start();
  await check.stop(Date.now());

  expect(log.lines).toEqual([]);
});
