/** What people see of the system, made of what Kafka has answered. Pure. */
import {
  HOLDERS_OF,
  topicName,
  type DescribedGroup,
  type DescribedTopic,
} from "@postrider/messaging";
import {
  lackOf,
  missingTopic,
  silentBrokers,
  silentLeaders,
  type Lack,
} from "./cluster-problems.ts";
import type { ClusterState } from "./read-cluster.ts";
import { stageView } from "./stage-view.ts";
import { isOfProcess } from "./stages.ts";
import type { SystemView, TopicView } from "./system-operations.ts";

/** Without `askedAt`. */
export function viewOf(
  state: ClusterState,
  {
    prefix,
    principal,
  }: { readonly prefix: string; readonly principal: string },
): Omit<SystemView, "askedAt"> {
  const lack = lackOf(prefix, principal);
  const { silent } = state;
  return {
    processes: processesOf(prefix, state.groups),
    stages: state.stages.map((stage) =>
      stageView(stage, { state, lack, tiers: topicName(prefix, "retry.") }),
    ),
    topics: state.topics.map((topic) => topicView(topic, lack)),
    problem:
      silent.length === 0
        ? null
        : silentBrokers(silent, "processes may be missing here"),
  };
}

function processesOf(
  prefix: string,
  groups: readonly DescribedGroup[],
): SystemView["processes"] {
  return groups
    .filter(({ groupId }) => isOfProcess(prefix, groupId))
    .flatMap(({ members }) => members)
    .map(({ clientId, host, pid, version }) => ({
      service: clientId.replace(/^postrider-/, ""),
      host,
      pid,
      version,
    }))
    .filter(({ service }) => service in HOLDERS_OF) // commands read schemas, too
    .toSorted(
      (a, b) =>
        a.service.localeCompare(b.service) ||
        a.host.localeCompare(b.host) ||
        (a.pid ?? 0) - (b.pid ?? 0),
    );
}

function topicView(topic: DescribedTopic, lack: Lack): TopicView {
  const nothing = {
    topic: topic.topic,
    partitions: null,
    replicas: null,
    underReplicated: null,
    leaderless: null,
    records: null,
  };
  if (topic.kind !== "described")
    return {
      ...nothing,
      problem:
        topic.kind === "refused"
          ? lack("topic", topic.topic)
          : missingTopic(topic.topic),
    };
  const { partitions } = topic;
  const ranges = partitions.flatMap(({ range }) => range ?? []);
  const isWhole = ranges.length === partitions.length;
  return {
    topic: topic.topic,
    partitions: partitions.length,
    replicas: Math.min(...partitions.map(({ replicas }) => replicas)),
    underReplicated: partitions.filter(
      ({ replicas, inSyncReplicas }) => inSyncReplicas < replicas,
    ).length,
    leaderless: partitions.filter(({ hasLeader }) => !hasLeader).length,
    records: isWhole
      ? ranges.reduce((sum, { start, end }) => sum + end - start, 0)
      : null,
    problem: isWhole ? null : silentLeaders(topic.topic),
  };
}
