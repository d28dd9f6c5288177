/** Why no handler may be started now, in the order in which it is asked; null when one may. */
import type { Clock } from "@postrider/runtime";
import type { Output } from "../output-port.ts";
import type { RunnerLimits } from "./runner-limits.ts";

export type Blocked =
  | "stopping"
  /** Between the sign of a rebalance and the new assignment: what is started now could move. */
  | "rebalancing"
  /** The coordinator may have given our partitions away. */
  | "heartbeat"
  /** What is completed now could not be said, and would be repeated after a crash. */
  | "output"
  | "commit"
  /** What the stage decides by is not known to be current. */
  | "input";

/** The share of the session timeout in which a heartbeat is as good as an answer. */
const LEASE = 0.8;

export interface GateInputs {
  readonly isStopping: boolean;
  readonly isSettled: boolean;
  readonly lastHeartbeatAt: number;
  readonly commitAgeMs: number;
  readonly waitsFor: string | null;
}

export function startGate(
  limits: RunnerLimits,
  output: Pick<Output, "unacknowledged" | "oldestUnacknowledgedMs">,
  clock: Clock,
): (inputs: GateInputs) => Blocked | null {
  const leaseMs = limits.sessionTimeoutMs * LEASE;
  return ({
    isStopping,
    isSettled,
    lastHeartbeatAt,
    commitAgeMs,
    waitsFor,
  }) => {
    if (isStopping) return "stopping";
    if (!isSettled) return "rebalancing";
    if (clock.monotonic() - lastHeartbeatAt > leaseMs) return "heartbeat";
    const isOutputFull = output.unacknowledged() >= limits.maxUnacknowledged;
    if (isOutputFull || output.oldestUnacknowledgedMs() > limits.stallMs)
      return "output";
    if (commitAgeMs > limits.stallMs) return "commit";
    return waitsFor === null ? null : "input";
  };
}
