/** Postrider's topics: their names, partitions and settings (docs/architecture.md, "The flow"), and how to change a cluster to match. */
import { counted } from "@postrider/core";
import type { Admin, TopicDescription } from "./ports.ts";

/** The full name of a topic: `postrider.` and `events` give `postrider.events`. */
export function topicName(prefix: string, name: string): string {
  return `${prefix}${name}`;
}

/** The options of the plan. `tiers` are those of `parseTiers`, or any objects with the topic names (`retry.1s`). */
export interface TopicPlanOptions {
  readonly prefix: string;
  readonly tiers: readonly { readonly topic: string }[];
  /** Partitions of every topic except the tiers, `control` and `schemas`. Default 12; `dev` uses 4, tests 2. */
  readonly partitions?: number | undefined;
  /** Partitions of each tier. Default 4. */
  readonly tierPartitions?: number | undefined;
}

/** Every topic as it should be. The replication factor is the broker's default. */
export function topicPlan(options: TopicPlanOptions): TopicDescription[] {
  const { prefix, tiers, partitions = 12, tierPartitions = 4 } = options;
  const plan = (
    name: string,
    count: number,
    config: Readonly<Record<string, string>>,
  ): TopicDescription => ({
    topic: topicName(prefix, name),
    partitions: count,
    replicationFactor: -1,
    config,
  });
  return [
    plan("events", partitions, { ...deleteAfter(7), ...APPEND_TIME }),
    plan("deliveries", partitions, deleteAfter(7)),
    ...tiers.map((tier) =>
      plan(tier.topic, tierPartitions, { ...deleteAfter(7), ...APPEND_TIME }),
    ),
    plan("dead-letters", partitions, { ...deleteAfter(30), ...ROOMY }),
    plan("attempts", partitions, deleteAfter(7)),
    plan("intake", partitions, { ...deleteAfter(7), ...ROOMY }),
    plan("signals", partitions, deleteAfter(7)),
    plan("audit", partitions, deleteAfter(30)),
    plan("endpoints", partitions, COMPACT),
    plan("control", 1, COMPACT),
    plan("schemas", 1, COMPACT),
  ];
}

/** A difference between a topic and its plan, in the order in which it should be applied. */
export type TopicChange =
  | { readonly kind: "create"; readonly topic: TopicDescription }
  /** New records of a key may go to another partition: order per endpoint holds again only after the old records have been read. */
  | {
      readonly kind: "add_partitions";
      readonly topic: string;
      readonly from: number;
      readonly to: number;
    }
  | {
      readonly kind: "alter_config";
      readonly topic: string;
      readonly settings: Readonly<
        Record<string, { readonly from: string | null; readonly to: string }>
      >;
    };

/** What a change does, in words: a line for each setting. */
export function changeText(change: TopicChange): string {
  switch (change.kind) {
    case "create":
      return `create ${change.topic.topic} with ${counted(change.topic.partitions, "partition")}`;
    case "add_partitions":
      return `add partitions to ${change.topic}: ${change.from} → ${change.to}`;
    case "alter_config":
      return Object.entries(change.settings)
        .map(([name, values]) => settingText(change.topic, name, values))
        .join("\n");
  }
}

/** `from`: null where the topic has none of its own. */
export function settingText(
  topic: string,
  name: string,
  { from, to }: { readonly from: string | null; readonly to: string },
): string {
  return `set ${name} of ${topic}: ${from ?? "(broker's)"} → ${to}`;
}

/** The result of `planTopics`. A warning names the topic, what is wrong, and what to do. */
export interface TopicDifferences {
  readonly changes: readonly TopicChange[];
  readonly warnings: readonly string[];
}

/** Compares the cluster with the plan. Settings that the plan does not name are left alone, and so are additional partitions: Kafka cannot remove partitions. */
export async function planTopics(
  admin: Admin,
  plan: readonly TopicDescription[],
): Promise<TopicDifferences> {
  const found = await admin.describeTopics(plan.map((topic) => topic.topic));
  const existing = new Map(found.map((topic) => [topic.topic, topic]));
  const changes = plan.flatMap((wanted) =>
    changesOf(wanted, existing.get(wanted.topic)),
  );
  return { changes, warnings: await replicaWarnings(admin, plan, existing) };
}

/** Changes the cluster to match the plan. Topics that match already are not touched, so applying twice changes nothing. */
export async function applyTopics(
  admin: Admin,
  plan: readonly TopicDescription[],
): Promise<TopicDifferences> {
  const differences = await planTopics(admin, plan);
  const missing = differences.changes.flatMap((change) =>
    change.kind === "create" ? [change.topic] : [],
  );
  if (missing.length > 0) await admin.createTopics(missing);
  for (const change of differences.changes) {
    switch (change.kind) {
      case "create":
        break;
      case "add_partitions":
        await admin.addPartitions(change.topic, change.to);
        break;
      case "alter_config":
        await admin.alterTopicConfig(
          change.topic,
          Object.fromEntries(
            Object.entries(change.settings).map(([name, { to }]) => [name, to]),
          ),
        );
    }
  }
  return differences;
}

const DAY_MS = 24 * 60 * 60 * 1000;

function deleteAfter(days: number): Readonly<Record<string, string>> {
  return { "cleanup.policy": "delete", "retention.ms": `${days * DAY_MS}` };
}

/** For `events` and the tiers: a tier's wait counts from the broker's append, and `receivedAt` is the broker's time, too. */
const APPEND_TIME = {
  "message.timestamp.type": "LogAppendTime",
} as const;

/** For topics whose records contain a record of another topic and more. The inner record may have up to the broker's default of 1 MiB, so these need a higher limit. */
const ROOMY = { "max.message.bytes": `${2 * 1024 * 1024}` };

const COMPACT = {
  "cleanup.policy": "compact",
  // Compact when a tenth of the log is superseded, so that a table loads fast.
  "min.cleanable.dirty.ratio": "0.1",
  "segment.ms": `${60 * 60 * 1000}`,
  // Superseded secrets and hashes are removed from the log within a day.
  "max.compaction.lag.ms": `${DAY_MS}`,
  // Keep tombstones longer than any table takes to load: a table that misses one would keep the deleted key.
  "delete.retention.ms": `${DAY_MS}`,
};

function changesOf(
  wanted: TopicDescription,
  found: TopicDescription | undefined,
): TopicChange[] {
  if (found === undefined) return [{ kind: "create", topic: wanted }];
  const changes: TopicChange[] = [];
  if (found.partitions < wanted.partitions)
    changes.push({
      kind: "add_partitions",
      topic: wanted.topic,
      from: found.partitions,
      to: wanted.partitions,
    });
  const settings = Object.entries(wanted.config)
    .filter(([name, value]) => found.config[name] !== value)
    .map(([name, to]) => [name, { from: found.config[name] ?? null, to }]);
  if (settings.length > 0)
    changes.push({
      kind: "alter_config",
      topic: wanted.topic,
      settings: Object.fromEntries(settings),
    });
  return changes;
}

/** Warnings for a cluster of three brokers or more: there a record should be on two brokers before it is acknowledged. */
async function replicaWarnings(
  admin: Admin,
  plan: readonly TopicDescription[],
  existing: ReadonlyMap<string, TopicDescription>,
): Promise<string[]> {
  if ((await admin.brokerCount()) < 3) return [];
  const name = "min.insync.replicas";
  const ofBroker = (await admin.brokerSettings([name])).get(name) ?? "1";
  return plan.flatMap((wanted) => {
    const value = existing.get(wanted.topic)?.config[name] ?? ofBroker;
    return Number(value) >= 2
      ? []
      : [
          `${wanted.topic}: ${name} is ${value} on a cluster of three brokers or more, so one broker's loss can lose acknowledged records. Set it to 2.`,
        ];
  });
}
