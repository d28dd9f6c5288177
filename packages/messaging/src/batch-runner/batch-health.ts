/** Readiness and liveness of a batch runner. */
import { counted } from "@postrider/core";
import type { BatchAssignment } from "./batch-assignment.ts";
import type { BatchRunner } from "./batch-runner-options.ts";

/** A loop that has records and nothing to wait for, and has made no progress for so long, is broken, ms. */
const STUCK_MS = 60_000;

type Observed = Pick<BatchAssignment<never>, "sources" | "problem" | "stuckMs">;

export function batchHealth(
  name: string,
  isConnected: boolean,
  assignment: Observed | null,
): ReturnType<BatchRunner["health"]> {
  const problem = assignment?.problem ?? null;
  const stuckMs = assignment?.stuckMs() ?? 0;
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
    ],
  };
}
