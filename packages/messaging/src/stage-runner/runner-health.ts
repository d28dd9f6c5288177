/** Whether a runner is ready and alive, and if not, why (docs/kafkajs.md, "A loop that stands still"). */
import type { Check } from "@postrider/runtime";
import type { Blocked } from "./start-gate.ts";

export interface RunnerHealth {
  readonly ready: Check[];
  readonly live: Check[];
}

export interface HealthInputs {
  readonly stage: string;
  readonly isConnected: boolean;
  readonly sinceHeartbeatMs: number;
  readonly isSettled: boolean;
  readonly isStopping: boolean;
  readonly blocked: Blocked | null;
  /** A sentence of the service's own: why nothing is started. */
  readonly waitsFor: string | null;
  readonly commitAgeMs: number;
  readonly unacknowledged: number;
  readonly oldestUnacknowledgedMs: number;
  /** Partitions that stand still because their window is full of records whose schema cannot be had. */
  readonly partitionsWaitingForSchemas: number;
  readonly schemas: readonly string[];
  readonly sinceTickMs: number;
  readonly sinceFetchMs: number;
  /** How long a record could have been started and was not; 0 if none could. */
  readonly readyWorkMs: number;
}

/** A dependency is called slow after this, ms. */
const SLOW_MS = 5000;
/** What stands still longer than this is stuck, ms. */
const STUCK_MS = 60_000;
/** A join waits for the slowest member, as long as the rebalance timeout; three times that is stuck, ms. */
const STUCK_JOIN_MS = 180_000;

export function runnerHealth(inputs: HealthInputs): RunnerHealth {
  const { stage } = inputs;
  const check = (name: string, isOk: boolean, detail: string): Check => ({
    name: `${stage}.${name}`,
    isOk,
    detail: isOk ? "" : detail,
  });
  const isMember =
    inputs.isConnected &&
    !inputs.isStopping &&
    // kafkajs waits for a lost broker without a word; only the heartbeats stop.
    inputs.sinceHeartbeatMs < SLOW_MS;
  const commitsFlow = inputs.commitAgeMs < SLOW_MS;
  const outputFlows = inputs.oldestUnacknowledgedMs < SLOW_MS;
  const schemasKnown = inputs.partitionsWaitingForSchemas === 0;
  // A fault of a dependency shows in readiness only: a restart would not cure it.
  const isHealthy = isMember && inputs.isSettled && inputs.blocked === null;
  return {
    ready: [
      check(
        "kafka",
        isMember,
        `not a member of its group; the last heartbeat was acknowledged ${inputs.sinceHeartbeatMs | 0} ms ago`,
      ),
      check(
        "assignment",
        inputs.isSettled,
        "its partitions are not loaded yet",
      ),
      check(
        "commits",
        commitsFlow,
        `the oldest completion has not been committed for ${inputs.commitAgeMs | 0} ms`,
      ),
      check(
        "output",
        outputFlows,
        `${inputs.unacknowledged} records are not acknowledged, the oldest for ${inputs.oldestUnacknowledgedMs | 0} ms`,
      ),
      check(
        "input",
        inputs.waitsFor === null,
        `nothing is started: ${inputs.waitsFor}`,
      ),
      check(
        "schemas",
        schemasKnown,
        `${inputs.partitionsWaitingForSchemas} partitions wait for schemas: ${inputs.schemas.join(", ")}`,
      ),
    ],
    live: [
      check(
        "loop",
        inputs.sinceTickMs < STUCK_MS,
        `the event loop has not turned for ${inputs.sinceTickMs | 0} ms`,
      ),
      check(
        "fetch",
        inputs.sinceFetchMs < (inputs.isSettled ? STUCK_MS : STUCK_JOIN_MS),
        `nothing was fetched for ${inputs.sinceFetchMs | 0} ms, though the cluster answers`,
      ),
      check(
        "work",
        !isHealthy || inputs.readyWorkMs < STUCK_MS,
        `a record could have started ${inputs.readyWorkMs | 0} ms ago`,
      ),
    ],
  };
}
