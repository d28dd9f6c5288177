/** The rate of which the other benches use a share: the last result of `pipeline` on this machine. */
import type { BenchContext } from "./context.ts";
import { lastResult } from "./report.ts";

/** Used when there is no result of `pipeline` yet. */
const FALLBACK_PER_SECOND = 4_000;

export function pipelineRate({ dataIn }: BenchContext): number {
  const figures = lastResult("pipeline", dataIn)?.figures;
  return figures?.["deliveriesPerSecond"] ?? FALLBACK_PER_SECOND;
}
