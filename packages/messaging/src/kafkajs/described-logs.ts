/** Topics with the ranges of their logs, as people look at them: two requests to each broker that leads partitions, for all topics together. */
import type { DescribedPartition, DescribedTopic, LogRange } from "../ports.ts";
import { brokerAnswer } from "./broker-answer.ts";
import {
  clusterMetadata,
  TOPIC_AUTHORIZATION_FAILED,
  type TopicMetadata,
} from "./cluster-metadata.ts";
import type { Cluster, Leader } from "./patches/cluster.ts";

/** What ListOffsets calls them. */
const START = -2;
const END = -1;

export async function describedLogs(
  cluster: Cluster,
  topics: readonly string[],
): Promise<DescribedTopic[]> {
  const metadata = await clusterMetadata(cluster, topics);
  const found = metadata.topics.filter(({ error }) => error === 0);
  const ranges = new Map<string, LogRange>();
  for (const each of await allRanges(cluster, found))
    ranges.set(`${each.topic}:${each.partition}`, each);
  const byName = new Map(metadata.topics.map((each) => [each.name, each]));
  return topics.map((topic) => {
    const { error, partitions = [] } = byName.get(topic) ?? {};
    if (error === TOPIC_AUTHORIZATION_FAILED) return { kind: "refused", topic };
    if (error !== 0) return { kind: "missing", topic };
    return {
      kind: "described",
      topic,
      partitions: partitions
        .map((each): DescribedPartition => ({
          partition: each.partition,
          hasLeader: each.leader >= 0,
          replicas: each.replicas.length,
          inSyncReplicas: each.inSync.length,
          range: ranges.get(`${topic}:${each.partition}`) ?? null,
        }))
        .toSorted((a, b) => a.partition - b.partition),
    };
  });
}

/** Partitions by topic. */
type Led = Map<string, number[]>;

async function allRanges(
  cluster: Cluster,
  topics: readonly TopicMetadata[],
): Promise<LogRange[]> {
  const byLeader = new Map<number, Led>();
  for (const { name, partitions } of topics)
    for (const { partition, leader } of partitions) {
      if (leader < 0) continue;
      const led: Led = byLeader.get(leader) ?? new Map<string, number[]>();
      byLeader.set(leader, led);
      led.set(name, [...(led.get(name) ?? []), partition]);
    }
  const answers = await Promise.all(
    [...byLeader].map(([leader, led]) =>
      brokerAnswer(rangesOf(cluster, leader, led)),
    ),
  );
  return answers.flatMap((ranges) => ranges ?? []);
}

async function rangesOf(
  cluster: Cluster,
  leaderId: number,
  led: Led,
): Promise<LogRange[]> {
  const nodeId = String(leaderId);
  // kafkajs returns the broker that sends requests, connected.
  const leader = (await cluster.findBroker({ nodeId })) as Leader;
  const [starts, ends] = await Promise.all(
    [START, END].map((timestamp) => offsetsOf(leader, led, timestamp)),
  );
  return [...ends!].flatMap(([place, { topic, partition, offset: end }]) => {
    const start = starts!.get(place)?.offset;
    return start === undefined ? [] : [{ topic, partition, start, end }];
  });
}

async function offsetsOf(leader: Leader, led: Led, timestamp: number) {
  const { responses } = await leader.listOffsets({
    replicaId: -1,
    isolationLevel: 1,
    topics: [...led].map(([topic, partitions]) => ({
      topic,
      partitions: partitions.map((partition) => ({ partition, timestamp })),
    })),
  });
  return new Map(
    responses.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, offset }) => [
        `${topic}:${partition}`,
        { topic, partition, offset: Number(offset) },
      ]),
    ),
  );
}
