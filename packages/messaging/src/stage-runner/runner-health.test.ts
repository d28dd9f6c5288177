import { expect, test } from "@jest/globals";
import { runnerHealth, type HealthInputs } from "./runner-health.ts";

const healthy: HealthInputs = {
  stage: "deliver",
  hasStarted: true,
  hasJoined: true,
  isConnected: true,
  sinceHeartbeatMs: 900,
  isSettled: true,
  isStopping: false,
  blocked: null,
  waitsFor: null,
  commitAgeMs: 15,
  unacknowledged: 20,
  oldestUnacknowledgedMs: 4,
  waitingForSchemas: 0,
  partitionsWaitingForSchemas: 0,
  schemas: [],
  sinceTickMs: 50,
  sinceFetchMs: 100,
  readyWorkMs: 0,
};

test.each<[string, Partial<HealthInputs>, string[], string[]]>([
  ["all is well", {}, [], []],
  [
    "the broker is away",
    {
      sinceHeartbeatMs: 90_000,
      blocked: "heartbeat",
      commitAgeMs: 90_000,
      oldestUnacknowledgedMs: 90_000,
    },
    ["kafka", "commits", "output"],
    [],
  ],
  [
    "the group rebalances",
    { isSettled: false, blocked: "rebalancing", sinceFetchMs: 70_000 },
    ["assignment"],
    [],
  ],
  [
    "a join never ends, though the cluster answers",
    { isSettled: false, blocked: "rebalancing", sinceFetchMs: 190_000 },
    ["assignment"],
    ["fetch"],
  ],
  [
    "a fetch loop is stuck, and its heartbeats with it",
    { sinceFetchMs: 61_000, sinceHeartbeatMs: 61_000, blocked: "heartbeat" },
    ["kafka"],
    ["fetch"],
  ],
  ["work that could start does not", { readyWorkMs: 61_000 }, [], ["work"]],
  [
    "work waits because the output stalls",
    { readyWorkMs: 61_000, blocked: "output", oldestUnacknowledgedMs: 61_000 },
    ["output"],
    [],
  ],
  ["the event loop stood still", { sinceTickMs: 61_000 }, [], ["loop"]],
  [
    "schemas cannot be had",
    { partitionsWaitingForSchemas: 2, schemas: ["s1"] },
    ["schemas"],
    [],
  ],
  [
    "it has waited long for its start",
    {
      hasStarted: false,
      hasJoined: false,
      isConnected: false,
      isSettled: false,
      sinceTickMs: 900_000,
      sinceFetchMs: 900_000,
      sinceHeartbeatMs: 900_000,
    },
    ["kafka", "assignment"],
    [],
  ],
  ["it stops", { isStopping: true, blocked: "stopping" }, ["kafka"], []],
])("%s", (_name, change, notReady, notLive) => {
  const { ready, live } = runnerHealth({ ...healthy, ...change });

  const failed = (checks: typeof ready) =>
    checks.filter(({ isOk }) => !isOk).map(({ name }) => name);
  expect(failed(ready)).toEqual(notReady.map((name) => `deliver.${name}`));
  expect(failed(live)).toEqual(notLive.map((name) => `deliver.${name}`));
});

test.each([
  [false, "it has not joined its group yet"],
  [
    true,
    "not a member of its group; the last heartbeat that was acknowledged is from 9000 ms ago",
  ],
])("heartbeats are told of a member alone (%s)", (hasJoined, detail) => {
  const { ready } = runnerHealth({
    ...healthy,
    hasJoined,
    sinceHeartbeatMs: 9_000,
  });

  expect(ready[0]).toMatchObject({ name: "deliver.kafka", detail });
});

test("records that wait for a schema while others go on are told, and the runner stays ready", () => {
  const { ready } = runnerHealth({
    ...healthy,
    waitingForSchemas: 2,
    schemas: ["registry id 7"],
  });

  expect(ready.at(-1)).toEqual({
    name: "deliver.schemas",
    isOk: true,
    detail: "degraded: 2 records waiting for schemas: registry id 7",
  });
});
