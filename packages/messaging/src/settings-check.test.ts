import { afterEach, expect, test } from "@jest/globals";
import { testEffects, waitFor } from "@postrider/testkit";
import { createAskedAdmin } from "./asked-admin.ts";
import type { Operation } from "./ports.ts";
import { createSettingsCheck } from "./settings-check.ts";

const started: { stop(deadline: number): Promise<void> }[] = [];

afterEach(async () => {
  for (const check of started.splice(0)) await check.stop(0);
});

const CONFIG = { "cleanup.policy": "compact" };

/** Three topics, of which one does not show its settings to us; `existing` are those that exist, with wrong settings. */
function aCheck({
  cluster = [] as readonly Operation[],
  metadataBytes = "4096",
  config = CONFIG as Readonly<Record<string, string>>,
  settings = { "cleanup.policy": "delete" } as Readonly<Record<string, string>>,
} = {}) {
  const { log } = testEffects();
  const existing = new Set(["p.shown", "p.hidden"]);
  const asked: string[] = [];
  const check = createSettingsCheck({
    admin: createAskedAdmin(
      () => ({
        connect: async () => {},
        disconnect: async () => {},
        clusterOperations: async () => new Set(cluster),
        brokerSettings: async () =>
          new Map([["offset.metadata.max.bytes", metadataBytes]]),
        topicOperations: async (topics) =>
          new Map(
            topics.map((topic) => [
              topic,
              new Set<Operation>(
                topic === "p.hidden" ? ["Read"] : ["Read", "DescribeConfigs"],
              ),
            ]),
          ),
        topicSettings: async (topics) => {
          asked.push(...topics);
          return new Map(
            topics
              .filter((topic) => existing.has(topic))
              .map((topic) => [topic, settings]),
          );
        },
      }),
      { idleMs: 1 },
    ),
    plan: ["p.shown", "p.hidden", "p.late"].map((topic) => ({
      topic,
      partitions: 1,
      replicationFactor: 1,
      config,
    })),
    log,
    againMs: 1,
  });
  started.push(check);
  return { check, log, asked, existing };
}

test("each topic is warned of once, one that is made later, too; one that does not show its settings is not asked for them, and told, as the brokers are", async () => {
  const { check, log, asked, existing } = aCheck();

  await check.start();
  await waitFor(() => asked.length > 4);
  existing.add("p.late");
  const warned = () =>
    log.of("topic.misconfigured").map(({ fields }) => fields["topic"]);
  await waitFor(() => warned().includes("p.late"));

  expect(warned()).toEqual(["p.shown", "p.late"]);
  expect(asked).not.toContain("p.hidden");
  const told = log.of("settings.notShown").map(({ fields }) => fields);
  expect(told).toEqual([
    {
      topics: ["p.hidden"],
      what: expect.stringContaining("npx postrider doctor"),
    },
  ]);
  expect(log.of("broker.misconfigured")).toEqual([]);
});

test("brokers that take too little metadata are warned of, where they show it", async () => {
  const { check, log } = aCheck({
    cluster: ["DescribeConfigs"],
    metadataBytes: "512",
  });

  await check.start();
  await waitFor(() => log.of("topic.misconfigured").length > 0);

  expect(log.of("broker.misconfigured").map(({ fields }) => fields)).toEqual([
    {
      setting: "offset.metadata.max.bytes",
      value: "512",
      what: "512: a commit needs up to 4096",
      toMend: "Set offset.metadata.max.bytes=4096 on every broker.",
    },
  ]);
});

test.each([
  ["retention.ms", "604800000", "2592000000", []],
  ["retention.ms", "604800000", "-1", []],
  ["retention.ms", "604800000", "3600000", ["p.shown"]],
  ["max.message.bytes", "1048576", "2097152", []],
  ["max.message.bytes", "1048576", "1000", ["p.shown"]],
  ["max.compaction.lag.ms", "100", "200", ["p.shown"]],
])(
  "more room than the plan wants is no fault: %s, planned %s, is %s",
  async (setting, planned, is, expected) => {
    const { check, log, asked } = aCheck({
      config: { [setting]: planned },
      settings: { [setting]: is },
    });

    await check.start();
    await waitFor(() => asked.length > 4);

    expect(
      log.of("topic.misconfigured").map(({ fields }) => fields["topic"]),
    ).toEqual(expected);
  },
);
