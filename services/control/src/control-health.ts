import type { RightsCheck, StageRunner } from "@postrider/messaging";
import type { Check, Health } from "@postrider/runtime";
import type { Ownership } from "./writer/ownership.ts";
import type { WrittenTopics } from "./writer/written-topics.ts";
import type { Reader } from "./reads/reader.ts";

/**
 * Readiness fails only when Kafka is away, or when one of this replica's tables may lack something (`Table.behind`: it is not loaded,
 * not followed, cannot read a batch, or has a record that waits for its schema): its answers would be wrong or old; or when a topic
 * that a change is written to does not exist (written-topics.ts). Everything else is reported as degraded, without failing readiness. A follower is as ready as the owner,
 * because it answers every read. Without ClickHouse, endpoints can still be read and changed, and a 410 still disables; if
 * readiness failed, an outage of the reports would become an outage of the configuration, too. The routes that need
 * ClickHouse (`GET /v1/events/{id}`, `POST /v1/query`, `GET /v1/queries/{name}`) answer 503 themselves.
 */
export function controlHealth(of: {
  readonly parts: readonly Pick<RightsCheck, "health">[];
  /** A hole in the topic `schemas` keeps nothing from being answered: a record of a table that needs a schema shows in that table. Until ours are registered, the start waits. */
  readonly schemas: Pick<RightsCheck, "health">;
  /** Whether every topic that a change is written to is there. */
  readonly topics: Pick<WrittenTopics, "health">;
  readonly ownership: Pick<Ownership, "describe" | "heartbeatAgeMs">;
  readonly reader: Pick<Reader, "reachability">;
  /** The runner of the `signals` topic; null unless this replica is the owner. */
  readonly runner: () => Pick<StageRunner, "health"> | null;
}): Health {
  return {
    live: () => [
      ...of.parts.flatMap((table) => table.health().live),
      ...(of.runner()?.health().live ?? []),
    ],
    ready: () => [
      ...of.parts.flatMap((table) => table.health().ready),
      ...of.schemas.health().ready.map(degraded),
      ...of.topics.health().ready,
      kafkaCheck(of.ownership.heartbeatAgeMs()),
      ownershipCheck(of.ownership.describe()),
      clickhouseCheck(of.reader.reachability()),
      ...(of.runner()?.health().ready ?? []).map(degraded),
    ],
  };
}

/** Keeps readiness as it is, and reports the fault in the detail. */
function degraded({ name, isOk, detail }: Check): Check {
  return { name, isOk: true, detail: isOk ? detail : `degraded: ${detail}` };
}

/** Longer than another broker needs to take over as the group's coordinator, which all replicas notice at once, ms. */
const SILENCE_MS = 30_000;

/** A broker that hangs keeps its connections open; only missing heartbeats show it. */
function kafkaCheck(heartbeatAgeMs: number): Check {
  const isOk = heartbeatAgeMs <= SILENCE_MS;
  const detail = Number.isFinite(heartbeatAgeMs)
    ? `last heartbeat ${Math.round(heartbeatAgeMs)} ms ago`
    : "it has not joined its group yet";
  return { name: "kafka", isOk, detail };
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
