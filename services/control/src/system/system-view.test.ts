import { expect, test } from "@jest/globals";
import {
  encodeOffsetMetadata,
  type CommittedOffset,
  type DescribedGroup,
  type DescribedTopic,
} from "@postrider/messaging";
import type { ClusterState } from "./read-cluster.ts";
import { stagesOf, tiersOf } from "./stages.ts";
import { viewOf } from "./system-view.ts";

const PREFIX = "p.";
const OF = { prefix: PREFIX, principal: "User:control" };

function aGroup(
  groupId: string,
  more: Partial<DescribedGroup> = {},
): DescribedGroup {
  return {
    groupId,
    state: "Stable",
    members: [
      {
        clientId: "postrider-dispatcher",
        host: "10.0.0.1",
        version: "0.2.0",
        pid: 7,
        partitions: [{ topic: "p.deliveries", partition: 0 }],
      },
    ],
    ...more,
  };
}

/** A topic whose partitions have these logs; null: the leader is silent. */
function aTopic(
  topic: string,
  ...logs: readonly (readonly [start: number, end: number] | null)[]
): DescribedTopic {
  return {
    kind: "described",
    topic,
    partitions: logs.map((log, partition) => ({
      partition,
      hasLeader: log !== null,
      replicas: 3,
      inSyncReplicas: log === null ? 2 : 3,
      range: log && { topic, partition, start: log[0], end: log[1] },
    })),
  };
}

function at(
  partition: number,
  offset: number | null,
  metadata = "",
): CommittedOffset {
  return { topic: "p.deliveries", partition, offset, metadata };
}

function aState(more: Partial<ClusterState> = {}): ClusterState {
  return {
    stages: stagesOf({ prefix: PREFIX, tiers: [], groupIds: [] }).filter(
      ({ name }) => name === "dispatcher",
    ),
    groups: [aGroup("p.dispatcher")],
    silent: [],
    refused: new Set(),
    topics: [aTopic("p.deliveries", [0, 100], [10, 20])],
    committed: new Map([["p.dispatcher", [at(0, 90), at(1, null)]]]),
    ...more,
  };
}

function dispatcherOf(state: ClusterState) {
  return viewOf(state, OF).stages[0]!;
}

test("a stage is behind by what its group has not committed, in all partitions together; where it has committed nothing, by the whole log", () => {
  expect(dispatcherOf(aState())).toMatchObject({
    state: "stable",
    behind: 20,
    unfinished: 20,
    members: [{ host: "10.0.0.1", pid: 7, version: "0.2.0", partitions: 1 }],
    topics: [{ partitions: 2, end: 120, committed: 100 }],
    problem: null,
  });
});

test("what the commits say is done does not count as unfinished", () => {
  const metadata = encodeOffsetMetadata({
    base: 10,
    next: 95,
    runs: [10, 1],
    tag: "m",
    counter: 1,
  });
  const committed = new Map([
    ["p.dispatcher", [at(0, 10, metadata), at(1, 20)]],
  ]);

  expect(dispatcherOf(aState({ committed }))).toMatchObject({
    behind: 90,
    unfinished: 6,
  });
});

test("a group that may not be described says which right it lacks, and the command that grants it; of its topics the end is known", () => {
  const state = aState({ groups: [], refused: new Set(["p.dispatcher"]) });

  expect(dispatcherOf(state)).toMatchObject({
    state: "unknown",
    behind: null,
    topics: [{ end: 120, behind: null, problem: null }],
    problem: {
      detail:
        "Kafka does not allow User:control: Describe on group p.dispatcher.",
      command: expect.stringContaining(
        "--allow-principal User:control --operation Describe --group p.dispatcher",
      ),
    },
  });
});

test("a topic that may not be described, that is missing, or whose leader is silent, leaves the others known", () => {
  const topicNames = ["p.retry.1s", "p.retry.2s", "p.retry.4s", "p.retry.8s"];
  const state = aState({
    stages: stagesOf({
      prefix: PREFIX,
      tiers: topicNames,
      groupIds: [],
    }).filter(({ isWaiting }) => isWaiting),
    groups: [aGroup("p.retry-scheduler")],
    topics: [
      { kind: "refused", topic: "p.retry.1s" },
      { kind: "missing", topic: "p.retry.2s" },
      aTopic("p.retry.4s", [0, 5], null),
      aTopic("p.retry.8s", [0, 5]),
    ],
    committed: new Map([["p.retry-scheduler", []]]),
  });

  const { behind, topics } = dispatcherOf(state);

  expect(behind).toBeNull();
  expect(topics.map((topic) => [topic.behind, topic.problem?.detail])).toEqual([
    [null, "Kafka does not allow User:control: Describe on topic p.retry.*."],
    [null, "There is no topic p.retry.2s."],
    [null, "Not every partition of p.retry.4s has a leader that answers."],
    [5, undefined],
  ]);
});

test("of tiers that are not listed it is not known whether there are any", () => {
  const state = aState({
    stages: stagesOf({ prefix: PREFIX, tiers: [], groupIds: [] }).filter(
      ({ isWaiting }) => isWaiting,
    ),
  });

  expect(dispatcherOf(state)).toMatchObject({
    behind: null,
    problem: {
      detail: expect.stringMatching(
        /^No tier is seen: .* topic p\.retry\.\*\.$/,
      ),
    },
  });
});

test("a group that is not there has done nothing; while a broker is silent it may be there", () => {
  const [gone, unsure] = [[], [3]].map((silent) =>
    viewOf(aState({ groups: [], silent }), OF),
  );

  expect(gone!.stages[0]).toMatchObject({
    state: "none",
    behind: 110,
    problem: null,
  });
  expect(gone!.problem).toBeNull();
  expect(unsure!.stages[0]).toMatchObject({
    state: "unknown",
    behind: null,
    problem: { detail: expect.stringContaining("Broker 3 did not answer") },
  });
  expect(unsure!.problem).not.toBeNull();
});

test("where Kafka does not tell whether a group is there, nothing is said of it", () => {
  expect(dispatcherOf(aState({ groups: [], refused: null }))).toMatchObject({
    state: "unknown",
    behind: null,
    problem: { detail: expect.stringContaining("group p.dispatcher") },
  });
});

test("tiers are in the order of their delays, and what else is called so comes last", () => {
  const names = ["1h", "x", "300s", "2s", "256s"].map(
    (end) => `p.retry.${end}`,
  );

  expect(tiersOf(PREFIX, ["p.events", ...names])).toEqual(
    ["2s", "256s", "300s", "1h", "x"].map((end) => `p.retry.${end}`),
  );
});

test.each([
  ["Stable", "stable"],
  ["Empty", "empty"],
  ["Dead", "none"],
  ["PreparingRebalance", "rebalancing"],
  ["CompletingRebalance", "rebalancing"],
])("what Kafka calls %s is %s", (state, shown) => {
  const groups = [aGroup("p.dispatcher", { state })];

  expect(dispatcherOf(aState({ groups })).state).toBe(shown);
});

test("each process is there once, by the group in which it reads schemas; commands are no processes", () => {
  const member = (clientId: string, host: string) => ({
    ...aGroup("").members[0]!,
    clientId,
    host,
  });
  const groups = [
    ["p.schemas.table.1", member("postrider-recorder", "10.0.0.2")],
    ["p.schemas.table.2", member("postrider-cli", "10.0.0.9")],
    ["p.schemas.table.3", member("postrider-ingest", "10.0.0.1")],
    ["p.dispatcher", member("postrider-dispatcher", "10.0.0.1")],
  ] as const;

  const { processes } = viewOf(
    aState({
      groups: groups.map(([id, each]) => aGroup(id, { members: [each] })),
    }),
    OF,
  );

  expect(processes.map(({ service, host }) => [service, host])).toEqual([
    ["ingest", "10.0.0.1"],
    ["recorder", "10.0.0.2"],
  ]);
});

test("a topic says how its partitions are kept", () => {
  const topics = [aTopic("p.events", [5, 9], null)];

  expect(viewOf(aState({ topics }), OF).topics).toEqual([
    {
      topic: "p.events",
      partitions: 2,
      replicas: 3,
      underReplicated: 1,
      leaderless: 1,
      records: null,
      problem: {
        detail: "Not every partition of p.events has a leader that answers.",
        command: null,
      },
    },
  ]);
});

test("a configured source is a stage of its own, behind route", () => {
  const stages = stagesOf({
    prefix: PREFIX,
    tiers: [],
    groupIds: ["p.route", "p.route.shop.orders", "p.schemas.table.1"],
  });

  expect(stages.slice(0, 3).map(({ name, topics }) => [name, topics])).toEqual([
    ["route", ["p.events"]],
    ["route.shop.orders", ["shop.orders"]],
    ["dispatcher", ["p.deliveries"]],
  ]);
});
