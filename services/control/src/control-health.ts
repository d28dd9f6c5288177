import type { StageRunner, Table } from "@postrider/messaging";
import type { Check, Health } from "@postrider/runtime";
import type { Ownership } from "./endpoints/ownership.ts";
import type { Reader } from "./reads/reader.ts";

/**
 * What takes a replica out of service is a table that is not loaded, or not followed because Kafka is away: its answers
 * would be wrong or old. The rest is named and does not fail readiness. A follower is as ready as the owner, for it answers
 * every read. Without ClickHouse, endpoints can still be read and changed and a 410 still disables; a failed readiness
 * would make an outage of the reports one of the configuration too. Those two routes answer 503 themselves.
 */
export function controlHealth(of: {
  readonly table: Pick<Table<unknown>, "health">;
  readonly ownership: Pick<Ownership, "describe" | "heartbeatAgeMs">;
  readonly reader: Pick<Reader, "reachability">;
  /** The signals' runner, on the owner. */
  readonly runner: () => Pick<StageRunner, "health"> | null;
  readonly sessionTimeoutMs: number;
}): Health {
  return {
    live: () => [
      ...of.table.health().live,
      ...(of.runner()?.health().live ?? []),
    ],
    ready: () => [
      ...of.table.health().ready,
      kafkaCheck(of.ownership.heartbeatAgeMs(), of.sessionTimeoutMs),
      ownershipCheck(of.ownership.describe()),
      clickhouseCheck(of.reader.reachability()),
      ...(of.runner()?.health().ready ?? []).map(degraded),
    ],
  };
}

/** Named, and no reason to take the replica out. */
function degraded({ name, isOk, detail }: Check): Check {
  return { name, isOk: true, detail: isOk ? detail : `degraded: ${detail}` };
}

/** A broker that is silent, not gone, closes no connection: only the missing heartbeats show it. */
function kafkaCheck(heartbeatAgeMs: number, sessionTimeoutMs: number): Check {
  const ageMs = Math.round(heartbeatAgeMs);
  const isOk = ageMs <= sessionTimeoutMs;
  return { name: "kafka", isOk, detail: `last heartbeat ${ageMs} ms ago` };
}

function ownershipCheck({
  state,
  detail,
}: ReturnType<Ownership["describe"]>): Check {
  return { name: "ownership", isOk: true, detail: `${state}: ${detail}` };
}

function clickhouseCheck({
  isReachable,
  detail,
}: ReturnType<Reader["reachability"]>): Check {
  return degraded({ name: "clickhouse", isOk: isReachable, detail });
}
