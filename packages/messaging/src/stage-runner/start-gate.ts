/** Whether a handler may start now, and if not, why. The reasons are checked in the order of `Blocked`. */
import type { Clock } from "@postrider/runtime";
import type { Output } from "../output-port.ts";
import type { RunnerLimits } from "./runner-limits.ts";

export type Blocked =
  | "stopping"
  /** Between the first sign of a rebalance and the new assignment: the partition of a record that starts now could move. */
  | "rebalancing"
  /** The last acknowledged heartbeat is too old: the coordinator may have given our partitions to another member. */
  | "heartbeat"
  /** Output or commits stall: work completed now could not be committed, and would be repeated after a crash. */
  | "output"
  | "commit"
  /** What the stage decides by (route: the table of endpoints) may be out of date. */
  | "input";

/** A heartbeat proves our membership for this share of the session timeout. */
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
