/** Readiness and liveness of a batch runner. */
import { counted } from "@postrider/core";
import { fetchCheck, STUCK_MS } from "../fetch-check.ts";
import type { BatchAssignment } from "./batch-assignment.ts";
import type { BatchRunner } from "./batch-runner-options.ts";

export interface BatchHealthInputs {
  readonly name: string;
  readonly hasStarted: boolean;
  readonly isConnected: boolean;
  readonly sinceFetchMs: number;
  /** Null before the first. */
  readonly assignment: Pick<
    BatchAssignment<never>,
    "sources" | "problem" | "isLeaving" | "stuckMs"
  > | null;
}

export function batchHealth(
  inputs: BatchHealthInputs,
): ReturnType<BatchRunner["health"]> {
  const { name, isConnected, assignment } = inputs;
  const problem = assignment?.problem ?? null;
  const stuckMs = assignment?.stuckMs() ?? 0;
  const isSettled = isConnected && assignment !== null && !assignment.isLeaving;
  return {
    ready: [
      {
        name: `${name}.kafka`,
        isOk: isConnected,
        detail: isConnected ? "joined and fetching" : "not connected",
      },
      {
        name,
        isOk: problem === null,
        detail:
          problem ??
          `records ${counted(assignment?.sources.length ?? 0, "partition")}`,
      },
    ],
    live: [
      {
        name,
        isOk: stuckMs < STUCK_MS,
        detail: `oldest untouched record waits ${Math.round(stuckMs)} ms`,
      },
      fetchCheck(name, { ...inputs, isSettled }),
    ],
  };
}
