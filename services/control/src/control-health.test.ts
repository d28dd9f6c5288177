import { expect, test } from "@jest/globals";
import { controlHealth } from "./control-health.ts";

interface Seen {
  readonly isTableOk?: boolean;
  readonly areSchemasWhole?: boolean;
  readonly areTopicsThere?: boolean;
  readonly heartbeatAgeMs?: number;
  readonly isOwner?: boolean;
  readonly isReachable?: boolean;
  readonly isRunnerOk?: boolean;
}

function readinessOf(seen: Seen) {
  const check = (name: string, isOk: boolean) => ({ name, isOk, detail: "" });
  const health = controlHealth({
    parts: [
      {
        health: () => ({
          ready: [check("table", seen.isTableOk ?? true)],
          live: [],
        }),
      },
    ],
    schemas: {
      health: () => ({
        live: [],
        ready: [check("table schemas", seen.areSchemasWhole ?? true)],
      }),
    },
    topics: {
      health: () => ({
        live: [],
        ready: [check("topics", seen.areTopicsThere ?? true)],
      }),
    },
    ownership: {
      describe: () => ({
        state: (seen.isOwner ?? true) ? "owner" : "follower",
        detail: "",
      }),
      heartbeatAgeMs: () => seen.heartbeatAgeMs ?? 0,
    },
    reader: {
      reachability: () => ({
        isReachable: seen.isReachable ?? true,
        detail: "no answer",
      }),
    },
    runner: () => ({
      health: () => ({
        ready: [check("gone.kafka", seen.isRunnerOk ?? true)],
        live: [],
      }),
    }),
  });
  const checks = health.ready();
  return { isReady: checks.every(({ isOk }) => isOk), checks };
}

test.each<[string, Seen]>([
  ["is a follower", { isOwner: false }],
  ["has no ClickHouse", { isReachable: false }],
  ["cannot read a part of the topic of schemas", { areSchemasWhole: false }],
  ["cannot read signals", { isRunnerOk: false }],
])("a replica that %s is ready", (_what, seen) => {
  expect(readinessOf(seen).isReady).toBe(true);
});

test.each<[string, Seen]>([
  ["has not loaded its table", { isTableOk: false }],
  ["lacks a topic that it writes to", { areTopicsThere: false }],
  ["has no heartbeat within the session", { heartbeatAgeMs: 30_001 }],
])("a replica that %s is not ready", (_what, seen) => {
  expect(readinessOf(seen).isReady).toBe(false);
});

test("a ClickHouse that does not answer is named as degraded", () => {
  const { checks } = readinessOf({ isReachable: false });

  expect(checks).toContainEqual({
    name: "clickhouse",
    isOk: true,
    detail: "degraded: no answer",
  });
});

test("heartbeats are told of a member alone", () => {
  const { checks, isReady } = readinessOf({ heartbeatAgeMs: Infinity });

  expect(isReady).toBe(false);
  expect(checks).toContainEqual({
    name: "kafka",
    isOk: false,
    detail: "it has not joined its group yet",
  });
});
