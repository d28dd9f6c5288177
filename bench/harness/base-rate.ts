/** The rate of which the other benches take a part: what `pipeline` last measured on this machine. */
import type { BenchContext } from "./context.ts";
import { lastResult } from "./report.ts";

/** Where `pipeline` has not run yet. */
const FALLBACK_PER_SECOND = 4_000;

export function pipelineRate({ dataIn }: BenchContext): number {
  const figures = lastResult("pipeline", dataIn)?.figures;
  return figures?.["deliveriesPerSecond"] ?? FALLBACK_PER_SECOND;
}
