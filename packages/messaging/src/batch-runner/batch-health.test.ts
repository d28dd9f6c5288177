import { expect, test } from "@jest/globals";
import { batchHealth } from "./batch-health.ts";

const assignment = {
  sources: [],
  problem: null,
  isLeaving: false,
  stuckMs: () => 0,
};
const healthy = {
  name: "record.attempts",
  hasStarted: true,
  isConnected: true,
  sinceFetchMs: 900,
  assignment,
};

test.each<[string, Partial<Parameters<typeof batchHealth>[0]>, string[]]>([
  ["all is well", {}, []],
  [
    "a record could be taken and is not",
    { assignment: { ...assignment, stuckMs: () => 61_000 } },
    ["record.attempts"],
  ],
  [
    "no fetch loop turns, though the cluster answers",
    { sinceFetchMs: 61_000 },
    ["record.attempts.fetch"],
  ],
  [
    "the group rebalances",
    { assignment: { ...assignment, isLeaving: true }, sinceFetchMs: 70_000 },
    [],
  ],
  [
    "it joins again after a crash",
    { isConnected: false, sinceFetchMs: 70_000 },
    [],
  ],
  [
    "a first join never ends, though the cluster answers",
    { isConnected: false, assignment: null, sinceFetchMs: 190_000 },
    ["record.attempts.fetch"],
  ],
  [
    "it has waited long for its start",
    {
      hasStarted: false,
      isConnected: false,
      assignment: null,
      sinceFetchMs: 900_000,
    },
    [],
  ],
])("liveness: %s", (_name, change, notLive) => {
  const { live } = batchHealth({ ...healthy, ...change });

  const failed = live.filter(({ isOk }) => !isOk).map(({ name }) => name);
  expect(failed).toEqual(notLive);
});
