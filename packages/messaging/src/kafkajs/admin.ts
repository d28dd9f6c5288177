/** Implements the Admin port with kafkajs 2.2.4. It reads a group's offsets and never sets them: for that kafkajs would join the group for 5 s. */
import kafkajs from "kafkajs";
import type { Admin as KafkajsAdmin } from "kafkajs";
import { setTimeout as sleep } from "node:timers/promises";
import {
  clusterOperations,
  groupOperations,
  topicOperations,
  transactionOperations,
} from "./authorized-operations.ts";
import { controllerClock } from "./cluster-clock.ts";
import { describedGroups } from "./described-groups.ts";
import { describedLogs } from "./described-logs.ts";
import { fetchOnce, type Fetching } from "./fetch-once.ts";
import type { Cluster } from "./patches/cluster.ts";
import {
  TopicMissingError,
  type Admin,
  type LogRange,
  type TopicDescription,
} from "../ports.ts";

/** Makes an admin client of kafkajs' one and its cluster, not yet connected. It retries while the broker is away. */
export function createAdmin(admin: KafkajsAdmin, cluster: Cluster): Admin {
  // kafkajs' cluster object has what a group's has: it is the same class. `Cluster` names less of it.
  const fetching = { cluster } as unknown as Fetching;
  return {
    connect: () => admin.connect(),
    disconnect: () => admin.disconnect(),
    listTopics: () => admin.listTopics(),
    describeTopics: (topics) => describeTopics(admin, topics),
    createTopics: (topics) => createTopics(admin, topics),
    async addPartitions(topic, partitions) {
      await admin.createPartitions({
        topicPartitions: [{ topic, count: partitions }],
      });
    },
    async alterTopicConfig(topic, config) {
      // The request replaces all settings of the topic. So read them, merge, and write all.
      const present = (await ownSettings(admin, [topic])).get(topic) ?? {};
      const merged = { ...present, ...config };
      await admin.alterConfigs({
        validateOnly: false,
        resources: [
          {
            type: kafkajs.ConfigResourceTypes.TOPIC,
            name: topic,
            configEntries: entriesOf(merged),
          },
        ],
      });
    },
    async deleteTopics(topics) {
      const present = await existing(admin, topics);
      if (present.length > 0) await admin.deleteTopics({ topics: present });
    },
    topicOperations: (topics) => topicOperations(cluster, topics),
    groupOperations: (groups) => groupOperations(cluster, groups),
    transactionOperations: (ids) => transactionOperations(cluster, ids),
    clusterOperations: () => clusterOperations(cluster),
    controllerClock: () => controllerClock(cluster),
    async listGroups() {
      return (await admin.listGroups()).groups.map(({ groupId }) => groupId);
    },
    async deleteGroups(groups) {
      if (groups.length > 0) await admin.deleteGroups([...groups]);
    },
    describeGroups: (isWanted) => describedGroups(cluster, isWanted),
    describeLogs: (topics) => describedLogs(cluster, topics),
    async fetchLogRanges(topics) {
      const ranges = await Promise.all(
        topics.map((topic) => logRanges(admin, topic)),
      );
      return ranges.flat();
    },
    async fetchCommitted(groupId, topics) {
      const found = await admin.fetchOffsets({ groupId, topics: [...topics] });
      return found.flatMap(({ topic, partitions }) =>
        partitions.map(({ partition, offset, metadata }) => ({
          topic,
          partition,
          offset: Number(offset) < 0 ? null : Number(offset),
          metadata: metadata ?? "",
        })),
      );
    },
    async fetchOnce(partition, offset, maxBytes) {
      await cluster.addMultipleTargetTopics([partition.topic]);
      return await fetchOnce(fetching, partition, { offset, maxBytes });
    },
    async brokerCount() {
      return (await admin.describeCluster()).brokers.length;
    },
    async partitionCounts(topics) {
      return new Map(
        (await metadataOf(admin, topics)).map((topic) => [
          topic.name,
          topic.partitions.length,
        ]),
      );
    },
    topicSettings: (topics, names) => topicSettings(admin, topics, names),
    brokerSettings: (names) => brokerSettings(admin, names),
  };
}

async function describeTopics(
  admin: KafkajsAdmin,
  topics: readonly string[],
): Promise<TopicDescription[]> {
  const metadata = await metadataOf(admin, topics);
  const settings = await ownSettings(
    admin,
    metadata.map(({ name }) => name),
  );
  return metadata.map(({ name, partitions }) => ({
    topic: name,
    partitions: partitions.length,
    replicationFactor: partitions[0]?.replicas.length ?? 0,
    config: settings.get(name) ?? {},
  }));
}

async function createTopics(
  admin: KafkajsAdmin,
  topics: readonly TopicDescription[],
): Promise<void> {
  // If a topic exists already, kafkajs returns false without waiting for the leaders of the others. So create only missing ones.
  const present = new Set(
    await existing(
      admin,
      topics.map(({ topic }) => topic),
    ),
  );
  const missing = topics.filter(({ topic }) => !present.has(topic));
  if (missing.length === 0) return;
  await admin.createTopics({
    // kafkajs' own wait fails if the broker does not know the new topic yet.
    waitForLeaders: false,
    topics: missing.map((topic) => ({
      topic: topic.topic,
      numPartitions: topic.partitions,
      replicationFactor: topic.replicationFactor,
      configEntries: entriesOf(topic.config),
    })),
  });
  await untilLed(
    admin,
    missing.map(({ topic }) => topic),
  );
}

const LEADERS_WITHIN_MS = 30_000;

/** Waits until every partition of the topics has a leader. In a cluster each question may go to another broker, which may not know the topics yet: its error counts as "not yet". */
async function untilLed(
  admin: KafkajsAdmin,
  topics: readonly string[],
): Promise<void> {
  const end = performance.now() + LEADERS_WITHIN_MS;
  for (;;) {
    let cause: unknown;
    try {
      if (await areLed(admin, topics)) return;
    } catch (error) {
      cause = error;
    }
    if (performance.now() >= end) {
      throw new TopicMissingError(
        `no leader for ${topics.join(", ")} ${LEADERS_WITHIN_MS} ms after they were created`,
        { cause },
      );
    }
    await sleep(50);
  }
}

async function areLed(
  admin: KafkajsAdmin,
  topics: readonly string[],
): Promise<boolean> {
  const found = await metadataOf(admin, topics);
  return (
    found.length === topics.length &&
    found.every(({ partitions }) =>
      partitions.every(({ leader }) => leader >= 0),
    )
  );
}

/** The metadata of those topics that exist, in the order of `topics`. kafkajs fails the whole request if one is missing, and answers in any order. */
async function metadataOf(admin: KafkajsAdmin, topics: readonly string[]) {
  const present = await existing(admin, topics);
  if (present.length === 0) return [];
  const { topics: found } = await admin.fetchTopicMetadata({ topics: present });
  return found.toSorted(
    (a, b) => present.indexOf(a.name) - present.indexOf(b.name),
  );
}

async function existing(
  admin: KafkajsAdmin,
  topics: readonly string[],
): Promise<string[]> {
  if (topics.length === 0) return [];
  const all = new Set(await admin.listTopics());
  return topics.filter((topic) => all.has(topic));
}

/** The settings made on each topic itself, without those that it inherits from its broker. */
async function ownSettings(
  admin: KafkajsAdmin,
  topics: readonly string[],
): Promise<Map<string, Record<string, string>>> {
  if (topics.length === 0) return new Map();
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: topics.map((name) => ({
      type: kafkajs.ConfigResourceTypes.TOPIC,
      name,
    })),
  });
  return new Map(
    resources.map(({ resourceName, configEntries }) => [
      resourceName,
      Object.fromEntries(
        configEntries
          .filter((entry) => sourceOf(entry) === TOPIC_CONFIG)
          .map((entry) => [entry.configName, entry.configValue]),
      ),
    ]),
  );
}

async function topicSettings(
  admin: KafkajsAdmin,
  topics: readonly string[],
  names: readonly string[],
): Promise<Map<string, Readonly<Record<string, string>>>> {
  const present = await existing(admin, topics);
  if (present.length === 0) return new Map();
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: present.map((topic) => ({
      type: kafkajs.ConfigResourceTypes.TOPIC,
      name: topic,
      configNames: [...names],
    })),
  });
  return new Map(
    resources.map(({ resourceName, configEntries }) => [
      resourceName,
      Object.fromEntries(
        configEntries.map((entry) => [entry.configName, entry.configValue]),
      ),
    ]),
  );
}

async function brokerSettings(
  admin: KafkajsAdmin,
  names: readonly string[],
): Promise<Map<string, string>> {
  const { brokers } = await admin.describeCluster();
  const broker = brokers[0];
  if (broker === undefined) return new Map();
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [
      {
        type: kafkajs.ConfigResourceTypes.BROKER,
        name: String(broker.nodeId),
        configNames: [...names],
      },
    ],
  });
  return new Map(
    resources.flatMap(({ configEntries }) =>
      configEntries.map((entry) => [entry.configName, entry.configValue]),
    ),
  );
}

/** kafkajs returns the partitions in random order, so take the number from each entry. */
async function logRanges(
  admin: KafkajsAdmin,
  topic: string,
): Promise<LogRange[]> {
  const offsets = await admin.fetchTopicOffsets(topic);
  return offsets.map(({ partition, low, high }) => ({
    topic,
    partition,
    start: Number(low),
    end: Number(high),
  }));
}

function entriesOf(
  config: Readonly<Record<string, string>>,
): { name: string; value: string }[] {
  return Object.entries(config).map(([name, value]) => ({ name, value }));
}

/** kafkajs' ConfigSource.TOPIC_CONFIG. kafkajs does not export the value, and its type lacks the property `configSource`. */
const TOPIC_CONFIG = 1;

function sourceOf(entry: object): unknown {
  return "configSource" in entry ? entry.configSource : undefined;
}
