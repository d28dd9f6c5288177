/** peers-case: two of twenty endpoints accept and never answer, at a quarter of the pipeline's rate; what the other eighteen notice of it. */
import { pipelineRate } from "../harness/base-rate.ts";
import { checkChains } from "../harness/chains.ts";
import type { BenchContext, BenchResult } from "../harness/context.ts";
import {
  countOf,
  startNeighbours,
  type Neighbours,
} from "../harness/neighbours.ts";
import {
  comparePairs,
  figuresOf,
  runPair,
  type Case,
  type RanPair,
} from "../harness/pairs.ts";
import { median, rounded, withoutFirst } from "../harness/statistics.ts";

const ENDPOINTS = 20;
const UNRULY = 2;
const SHARE = 0.25;
const TARGET = 1.2;
/** The beginning of each load, which is not counted. */
const WARM_UP_SECONDS = 2;
/**
 * Once they are well, the unruly endpoints must have got everything within this time, ms: the longest deferral, five
 * minutes (ADR 7), and a minute to deliver. At 80 a second the 4,096 records of a window fill before a breaker opens
 * on timeouts of 15 s, and relief defers the newest at the endpoint's measured rate, so the last of them wait that long.
 */
const REST_WITHIN_MS = 360_000;

export async function peersCase(context: BenchContext): Promise<BenchResult> {
  const { isShort } = context;
  const perSecond = Math.round(pipelineRate(context) * SHARE);
  // The first pair only warms the services up, and is not counted.
  const rounds = [6, ...(isShort ? [10, 10] : [60, 60])].map((seconds) => ({
    perSecond,
    seconds,
  }));
  const hood = await startNeighbours(context, {
    prefix: "peers.",
    wells: ENDPOINTS - UNRULY,
    misbehaviours: Array.from({ length: UNRULY }, () => "silence" as const),
    sets: rounds.length,
  });
  const pairs: RanPair[] = [];
  for (const pace of rounds)
    pairs.push(await pairOf(context, hood, pairs.length, pace));
  const wells = new Set(hood.wells.map(({ id }) => id));
  const deferrals = await checkChains(hood.topics, {
    count: rounds.reduce((sum, pace) => sum + 2 * countOf(pace), 0),
    isWell: (id) => wells.has(id),
  });
  return resultOf(withoutFirst(pairs), perSecond, deferrals);
}

async function pairOf(
  context: BenchContext,
  hood: Neighbours,
  nth: number,
  pace: Pick<Case, "perSecond" | "seconds">,
): Promise<RanPair> {
  const { wells, unrulySets } = hood;
  const endpoints = [...wells, ...unrulySets[nth]!];
  return await runPair(context, hood, {
    ...pace,
    name: `pair${nth}`,
    warmUpSeconds: WARM_UP_SECONDS,
    endpointOf: (i) => endpoints[i % ENDPOINTS]!,
    isCounted: (i) => i % ENDPOINTS < wells.length,
    isUnruly: true,
    restWithinMs: REST_WITHIN_MS,
  });
}

function resultOf(
  pairs: readonly RanPair[],
  perSecond: number,
  deferrals: { readonly well: number; readonly unruly: number },
): BenchResult {
  const { p50, p99, rate, delivered } = comparePairs(pairs);
  const ratio = median(p99);
  return {
    bench: "peers-case",
    figures: {
      perSecond,
      ...figuresOf("healthy", pairs, "with"),
      p50Ratio: rounded(median(p50)),
      p99Ratio: rounded(ratio),
      rate: rounded(rate),
      delivered: rounded(delivered),
      healthyDeferrals: deferrals.well,
      unrulyDeferrals: deferrals.unruly,
      recoveredSeconds: rounded(
        Math.max(...pairs.map((pair) => pair.with.restMs)) / 1000,
      ),
    },
    baseline: figuresOf("healthy", pairs, "without"),
    ratio: rounded(ratio),
    target: `p50 and p99 <= ${TARGET} of those without, all delivered within 20 s after the load`,
    pass: median(p50) <= TARGET && ratio <= TARGET && delivered === 1,
    pairs: pairs.length,
    spread: [rounded(Math.min(...p99)), rounded(Math.max(...p99))],
  };
}
