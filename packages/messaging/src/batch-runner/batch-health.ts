/** Readiness and liveness of a batch runner. */
import type { BatchPartition } from "./batch-partition.ts";
import type { BatchRunner } from "./batch-runner-options.ts";

/** A loop that has records and nothing to wait for, and has made no progress for so long, is broken, ms. */
const STUCK_MS = 60_000;

type Observed = Pick<BatchPartition<never>, "source" | "problem" | "stuckMs">;

export function batchHealth(
  name: string,
  isConnected: boolean,
  partitions: readonly Observed[],
): ReturnType<BatchRunner["health"]> {
  const problem = partitions
    .filter((partition) => partition.problem !== null)
    .map(
      (partition) =>
        `partition ${partition.source.partition}: ${partition.problem}`,
    )[0];
  const stuckMs = Math.max(
    0,
    ...partitions.map((partition) => partition.stuckMs()),
  );
  return {
    ready: [
      {
        name: `${name}.kafka`,
        isOk: isConnected,
        detail: isConnected ? "joined and fetching" : "not connected",
      },
      {
        name,
        isOk: problem === undefined,
        detail: problem ?? `records ${partitions.length} partitions`,
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
