/** Whether a runner is ready and live, and if not, why (docs/kafkajs.md, "A loop that stands still"). */
import { counted } from "@postrider/core";
import type { Check } from "@postrider/runtime";
import { fetchCheck, STUCK_MS } from "../fetch-check.ts";
import type { Blocked } from "./start-gate.ts";

export interface RunnerHealth {
  readonly ready: Check[];
  readonly live: Check[];
}

export interface HealthInputs {
  readonly stage: string;
  /** Parts that are started earlier may wait for days, for a right for instance. */
  readonly hasStarted: boolean;
  /** Whether it was ever a member of its group. */
  readonly hasJoined: boolean;
  readonly isConnected: boolean;
  readonly sinceHeartbeatMs: number;
  readonly isSettled: boolean;
  readonly isStopping: boolean;
  readonly blocked: Blocked | null;
  /** Why no handler may start, as a sentence from the service; null if one may. */
  readonly waitsFor: string | null;
  readonly commitAgeMs: number;
  readonly unacknowledged: number;
  readonly oldestUnacknowledgedMs: number;
  /** Records that wait for a schema while others go on. */
  readonly waitingForSchemas: number;
  /** Partitions that stand still because their window is full of records whose schema cannot be had. */
  readonly partitionsWaitingForSchemas: number;
  readonly schemas: readonly string[];
  readonly sinceTickMs: number;
  readonly sinceFetchMs: number;
  /** For how long a record has been ready and none was started; 0 if no record is ready. */
  readonly readyWorkMs: number;
}

/** After so long without an answer a dependency makes the runner not ready, ms. */
const SLOW_MS = 5000;
/** A heartbeat counts from its sending, and the next one follows a second after its answer: with answers that take 3 s, it is 7 s old. */
const LATE_HEARTBEAT_MS = 8000;

export function runnerHealth(inputs: HealthInputs): RunnerHealth {
  const { stage } = inputs;
  const check = (name: string, isOk: boolean, detail: string): Check => ({
    name: `${stage}.${name}`,
    isOk,
    detail: isOk ? "" : detail,
  });
  const isMember =
    inputs.hasJoined &&
    inputs.isConnected &&
    !inputs.isStopping &&
    // While a broker is lost kafkajs retries and emits no event; only the missing heartbeats show it.
    inputs.sinceHeartbeatMs < LATE_HEARTBEAT_MS;
  const commitsFlow = inputs.commitAgeMs < SLOW_MS;
  const outputFlows = inputs.oldestUnacknowledgedMs < SLOW_MS;
  // A fault of a dependency must not make the process not live: a restart would not cure it.
  const isHealthy = isMember && inputs.isSettled && inputs.blocked === null;
  return {
    ready: [
      check(
        "kafka",
        isMember,
        inputs.hasJoined
          ? `not a member of its group; the last heartbeat that was acknowledged is from ${inputs.sinceHeartbeatMs | 0} ms ago`
          : "it has not joined its group yet",
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
        `${counted(inputs.unacknowledged, "record")} not acknowledged, the oldest for ${inputs.oldestUnacknowledgedMs | 0} ms`,
      ),
      check(
        "input",
        inputs.waitsFor === null,
        `nothing is started: ${inputs.waitsFor}`,
      ),
      schemasCheck(inputs),
    ],
    live: [
      check(
        "loop",
        !inputs.hasStarted || inputs.sinceTickMs < STUCK_MS,
        `the event loop has not turned for ${inputs.sinceTickMs | 0} ms`,
      ),
      fetchCheck(stage, inputs),
      check(
        "work",
        !isHealthy || inputs.readyWorkMs < STUCK_MS,
        `a record could have started ${inputs.readyWorkMs | 0} ms ago`,
      ),
    ],
  };
}

/** Not ready once a partition stands still. Before that only what waits is told. */
function schemasCheck({
  stage,
  waitingForSchemas,
  partitionsWaitingForSchemas,
  schemas,
}: HealthInputs): Check {
  const isOk = partitionsWaitingForSchemas === 0;
  const waits = isOk
    ? `degraded: ${counted(waitingForSchemas, "record")}`
    : counted(partitionsWaitingForSchemas, "partition");
  const detail =
    isOk && waitingForSchemas === 0
      ? ""
      : `${waits} waiting for schemas: ${schemas.join(", ")}`;
  return { name: `${stage}.schemas`, isOk, detail };
}
