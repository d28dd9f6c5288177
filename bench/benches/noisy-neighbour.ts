/** noisy-neighbour: what 900 or more of 1,000 endpoints notice when a tenth accepts and never answers, when a tenth drips, and when one gets nine tenths of the traffic. */
import type { Endpoint } from "@postrider/core";
import type { MisbehaviourName } from "@postrider/testkit";
import { pipelineRate } from "../harness/base-rate.ts";
import { checkChains } from "../harness/chains.ts";
import type { BenchContext, BenchResult, Figures } from "../harness/context.ts";
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
import { median, rounded } from "../harness/statistics.ts";

const WELLS = 900;
const UNRULY = 100;
/** Of the pipeline's rate, for the nine tenths of the load that are healthy. */
const SHARE = 0.3;
const TARGET = { ratio: 1.2, rate: 0.99 };
const WARM_UP_SECONDS = 2;
/** Once they are well, the unruly endpoints must have got everything within this time, ms. */
const REST_WITHIN_MS = 120_000;

const CASES = ["blackHoles", "dripping", "hot"] as const;
type CaseName = (typeof CASES)[number];

/** Each set of unruly endpoints has a hundred for each of the first two cases. */
const MISBEHAVIOURS: readonly MisbehaviourName[] = [
  ...Array.from({ length: UNRULY }, () => "silence" as const),
  ...Array.from({ length: UNRULY }, (_, i) =>
    i % 2 === 0 ? ("dripping-body" as const) : ("dripping-headers" as const),
  ),
];

export async function noisyNeighbour(
  context: BenchContext,
): Promise<BenchResult> {
  const { isShort } = context;
  const perSecond = Math.round((pipelineRate(context) * SHARE) / 0.9);
  const pace = { perSecond, seconds: isShort ? 8 : 20 };
  const rounds = isShort ? 1 : 2;
  const hood = await startNeighbours(context, {
    prefix: "noisy.",
    wells: WELLS,
    misbehaviours: MISBEHAVIOURS,
    sets: rounds + 1,
  });
  // Only warms the services up, and is not counted.
  const warmUp = { perSecond, seconds: WARM_UP_SECONDS + 2 };
  await runPair(context, hood, caseOf(hood, "hot", { pace: warmUp, round: 0 }));
  const pairs = new Map<CaseName, RanPair[]>(CASES.map((name) => [name, []]));
  for (let round = 1; round <= rounds; round++)
    for (const name of CASES) {
      const given = caseOf(hood, name, { pace, round });
      pairs.get(name)!.push(await runPair(context, hood, given));
    }
  const wells = new Set(hood.wells.map(({ id }) => id));
  const deferrals = await checkChains(hood.topics, {
    count: 2 * (countOf(warmUp) + rounds * CASES.length * countOf(pace)),
    isWell: (id) => wells.has(id),
  });
  return resultOf(pairs, { perSecond, deferrals });
}

/** One event of ten goes to one group of endpoints, nine to another; within a group the endpoints take turns. */
function caseOf(
  { wells, unrulySets }: Neighbours,
  name: CaseName,
  {
    pace,
    round,
  }: {
    readonly pace: Pick<Case, "perSecond" | "seconds">;
    readonly round: number;
  },
): Case {
  const silent = unrulySets[round]!.slice(0, UNRULY);
  const common = {
    ...pace,
    name: `${name}${round}`,
    warmUpSeconds: WARM_UP_SECONDS,
    restWithinMs: REST_WITHIN_MS,
  };
  if (name !== "hot") {
    const unruly =
      name === "dripping" ? unrulySets[round]!.slice(UNRULY) : silent;
    return {
      ...common,
      isUnruly: true,
      isCounted: (i) => !isTenth(i),
      endpointOf: (i) => (isTenth(i) ? tenthOf(unruly, i) : otherOf(wells, i)),
    };
  }
  const hot = wells[0]!;
  // Of the endpoints at the other sink, which are well in this case, no times are known.
  const others = [...wells.slice(1), ...silent];
  const counted = new Set(wells.slice(1));
  return {
    ...common,
    isUnruly: false,
    isCounted: (i) => isTenth(i) && counted.has(tenthOf(others, i)),
    endpointOf: (i, side) => {
      if (isTenth(i)) return tenthOf(others, i);
      return side === "with" ? hot : otherOf(others, i);
    },
  };
}

function isTenth(i: number): boolean {
  return i % 10 === 9;
}

function tenthOf(group: readonly Endpoint[], i: number): Endpoint {
  return group[Math.floor(i / 10) % group.length]!;
}

function otherOf(group: readonly Endpoint[], i: number): Endpoint {
  return group[(i - Math.floor(i / 10)) % group.length]!;
}

function resultOf(
  pairs: ReadonlyMap<CaseName, readonly RanPair[]>,
  {
    perSecond,
    deferrals,
  }: {
    readonly perSecond: number;
    readonly deferrals: { readonly well: number; readonly unruly: number };
  },
): BenchResult {
  const cases = [...pairs].map(([name, ran]) => {
    const { p50, p99, rate } = comparePairs(ran);
    return { name, ran, p50: median(p50), p99, ratio: median(p99), rate };
  });
  const figures: Figures = Object.assign(
    {},
    ...cases.map(({ name, ran, p50, ratio, rate }) => ({
      ...figuresOf(name, ran, "with"),
      [`${name}P50Ratio`]: rounded(p50),
      [`${name}P99Ratio`]: rounded(ratio),
      [`${name}Rate`]: rounded(rate),
      [`${name}RecoveredSeconds`]: rounded(
        Math.max(...ran.map((pair) => pair.with.restMs)) / 1000,
      ),
    })),
  );
  const baseline: Figures = Object.assign(
    {},
    ...cases.map(({ name, ran }) => figuresOf(name, ran, "without")),
  );
  const worst = cases.reduce((a, b) => (b.ratio > a.ratio ? b : a));
  return {
    bench: "noisy-neighbour",
    figures: {
      perSecond,
      ...figures,
      healthyDeferrals: deferrals.well,
      unrulyDeferrals: deferrals.unruly,
    },
    baseline,
    ratio: rounded(worst.ratio),
    target: `in each case p99 <= ${TARGET.ratio} of that without and >= ${TARGET.rate} of the rate; everything delivered once all are well`,
    pass: cases.every(
      ({ ratio, rate }) => ratio <= TARGET.ratio && rate >= TARGET.rate,
    ),
    pairs: worst.ran.length,
    spread: [rounded(Math.min(...worst.p99)), rounded(Math.max(...worst.p99))],
  };
}
