/** How far one stage is, and who serves it. Pure. */
import {
  partitionLag,
  type CommittedOffset,
  type DescribedGroup,
  type DescribedTopic,
} from "@postrider/messaging";
import {
  missingTopic,
  noTiers,
  silentBrokers,
  silentCoordinator,
  silentLeaders,
  unseenGroup,
  type Lack,
} from "./cluster-problems.ts";
import type { ClusterState } from "./read-cluster.ts";
import type { Stage } from "./stages.ts";
import type {
  ProblemView,
  StageTopicView,
  StageView,
} from "./system-operations.ts";

/** What Kafka says of the stage's group; `committed` is null where that is not known. */
interface GroupFacts {
  readonly state: string;
  readonly members: StageView["members"];
  readonly committed: readonly CommittedOffset[] | null;
  readonly problem: ProblemView;
}

export function stageView(
  stage: Stage,
  {
    state,
    lack,
    tiers,
  }: {
    readonly state: ClusterState;
    readonly lack: Lack;
    /** How the names of all tiers begin. */
    readonly tiers: string;
  },
): StageView {
  const { name, service, groupId, isWaiting } = stage;
  const facts = factsOf(groupId, { state, lack });
  const topics = stage.topics.map((topic) =>
    stageTopic(topic, {
      found: state.topics.find((each) => each.topic === topic),
      committed: facts.committed,
      lack,
    }),
  );
  const isSeen = topics.length > 0;
  return {
    name,
    service,
    groupId,
    state: facts.state,
    isWaiting,
    members: facts.members,
    topics,
    behind: isSeen ? sumOf(topics.map(({ behind }) => behind)) : null,
    unfinished: isSeen
      ? sumOf(topics.map(({ unfinished }) => unfinished))
      : null,
    problem: facts.problem ?? (isSeen ? null : noTiers(lack("topic", tiers))),
  };
}

function factsOf(
  groupId: string,
  { state, lack }: { readonly state: ClusterState; readonly lack: Lack },
): GroupFacts {
  const group = state.groups.find((each) => each.groupId === groupId);
  if (group !== undefined) {
    const committed = state.committed.get(groupId) ?? null;
    return {
      state: stateOf(group),
      members: membersOf(group),
      committed,
      problem: committed === null ? silentCoordinator(groupId) : null,
    };
  }
  const unknown = { state: "unknown", members: [], committed: null };
  if (state.refused?.has(groupId))
    return { ...unknown, problem: lack("group", groupId) };
  if (state.refused === null)
    return { ...unknown, problem: unseenGroup(groupId) };
  if (state.silent.length > 0)
    return {
      ...unknown,
      problem: silentBrokers(state.silent, "one may coordinate this group"),
    };
  return { state: "none", members: [], committed: [], problem: null };
}

function stateOf({ state }: DescribedGroup): string {
  switch (state) {
    case "Stable":
      return "stable";
    case "Empty":
      return "empty";
    case "Dead":
      return "none";
    default:
      return "rebalancing";
  }
}

function membersOf(group: DescribedGroup): StageView["members"] {
  return group.members
    .map(({ host, pid, version, partitions }) => ({
      host,
      pid,
      version,
      partitions: partitions.length,
    }))
    .toSorted(
      (a, b) => a.host.localeCompare(b.host) || (a.pid ?? 0) - (b.pid ?? 0),
    );
}

function stageTopic(
  topic: string,
  of: {
    readonly found: DescribedTopic | undefined;
    readonly committed: readonly CommittedOffset[] | null;
    readonly lack: Lack;
  },
): StageTopicView {
  const { found, committed, lack } = of;
  const nothing = {
    topic,
    partitions: null,
    committed: null,
    end: null,
    behind: null,
    unfinished: null,
  };
  if (found?.kind === "refused")
    return { ...nothing, problem: lack("topic", topic) };
  if (found?.kind !== "described")
    return { ...nothing, problem: missingTopic(topic) };
  const partitions = found.partitions.length;
  const ranges = found.partitions.flatMap(({ range }) => range ?? []);
  if (ranges.length < partitions)
    return { ...nothing, partitions, problem: silentLeaders(topic) };
  const end = sumOf(ranges.map((range) => range.end));
  if (committed === null) return { ...nothing, partitions, end, problem: null };
  const lags = ranges.map((range) =>
    partitionLag(
      range,
      committed.find(
        (each) => each.topic === topic && each.partition === range.partition,
      ),
    ),
  );
  const behind = sumOf(lags.map((lag) => lag.behind));
  return {
    topic,
    partitions,
    committed: end! - behind!, // of numbers that are all known
    end,
    behind,
    unfinished: sumOf(lags.map((lag) => lag.unfinished)),
    problem: null,
  };
}

/** Null if one is not known. */
function sumOf(numbers: readonly (number | null)[]): number | null {
  return numbers.reduce<number | null>(
    (sum, each) => (sum === null || each === null ? null : sum + each),
    0,
  );
}
