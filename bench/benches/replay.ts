/**
 * replay: how fast deliveries that were given up are redriven at the highest rate that a replay may have, against the rate of the whole
 * system in the same run; and what traffic to other endpoints notices of it.
 */
import {
  beside,
  without,
  type Beside,
  type OtherLoad,
} from "../harness/beside-replay.ts";
import type { BenchContext, BenchResult, Figures } from "../harness/context.ts";
import { ENDPOINTS, endpointAt } from "../harness/load.ts";
import {
  checkRedriven,
  giveUp,
  redriven,
  type GivenUp,
  type Redriven,
} from "../harness/redrives.ts";
import { median, rounded } from "../harness/statistics.ts";
import { steadyRate, type Arrivals } from "../harness/steady-rate.ts";
import { camelCase, startWhole } from "../harness/whole.ts";

const TARGET = { rate: 0.8, p99: 1.2 };
/** Of the steady rate, for other endpoints. */
const SHARE = 0.1;
/** The rate of a replay for which nobody gave one (POSTRIDER_REPLAY_RATE). */
const DEFAULT_RATE = 500;
const WARM_UP_SECONDS = 1;

/** The load for other endpoints: alone, beside a replay at the highest rate, and beside one at the default rate. */
interface Round {
  readonly without: Beside;
  readonly highest: Beside;
  readonly standard: Beside;
}

export async function replay(context: BenchContext): Promise<BenchResult> {
  const { isShort, say } = context;
  const count = isShort ? 10_000 : 100_000;
  const steadyCount = isShort ? 30_000 : 60_000;
  const whole = await startWhole(context, {
    prefix: "replay.",
    // ingest is frozen while events are written, and must keep its partitions.
    env: { POSTRIDER_SESSION_TIMEOUT: "30s" },
    endpointsOf: ({ url }) =>
      Array.from({ length: 2 * ENDPOINTS }, (_, i) =>
        endpointAt(i, url, { maxAttempts: i < ENDPOINTS ? 1 : null }),
      ),
  });
  const own = { ...whole, endpoints: whole.endpoints.slice(0, ENDPOINTS) };
  const others = whole.endpoints.slice(ENDPOINTS);
  let givenUp = 0;
  const make = async (run: string, size: number): Promise<GivenUp> => {
    givenUp += size;
    return await giveUp(own, run, size);
  };
  // The first of each compiles the code and is not counted.
  await steadyRate(own, { run: "warm-up", count: steadyCount });
  await redriven(own, await make("first", 5_000));
  const before = await steadyRate(own, { run: "before", count: steadyCount });
  const all = await make("all", count);
  say(`${count} deliveries were given up`);
  const replayed = await redriven(own, all);
  say(JSON.stringify(shown(replayed)));
  const after = await steadyRate(own, { run: "after", count: steadyCount });
  const steady = (before.perSecond + after.perSecond) / 2;
  say(`steady ${Math.round(steady)}/s`);

  const rounds: Round[] = [];
  const seconds = isShort ? 4 : 8;
  for (let nth = 0; nth < (isShort ? 2 : 4); nth++) {
    const load = (side: string): OtherLoad => ({
      name: `${side}${nth}`,
      perSecond: Math.round(steady * SHARE),
      seconds,
      warmUpSeconds: WARM_UP_SECONDS,
      endpoints: others,
    });
    // More than can come while the load does, so that the load has the replay beside it all the time.
    const size = Math.round(
      Math.min(replayed.perSecond, steady) * (seconds + 1),
    );
    const many = await make(`many${nth}`, size);
    const few = await make(`few${nth}`, DEFAULT_RATE * (seconds + 1));
    const round = {
      without: await without(own, load("without")),
      highest: await beside(own, load("highest"), { givenUp: many }),
      standard: await beside(own, load("standard"), {
        givenUp: few,
        ratePerSecond: DEFAULT_RATE,
      }),
    };
    say(`round ${nth}: ${JSON.stringify(round)}`);
    rounds.push(round);
  }
  await checkRedriven(own, givenUp);
  return resultOf({ before, after, replayed, rounds });
}

interface Measured {
  readonly before: Arrivals;
  readonly after: Arrivals;
  readonly replayed: Redriven;
  readonly rounds: readonly Round[];
}

function resultOf({ before, after, replayed, rounds }: Measured): BenchResult {
  const steady = (before.perSecond + after.perSecond) / 2;
  const ratio = replayed.perSecond / steady;
  const ratios = (side: "highest" | "standard"): number[] =>
    rounds.map((round) => round[side].p99Ms / round.without.p99Ms);
  const p99 = median(ratios("highest"));
  const middle = (side: keyof Round, key: "p50Ms" | "p99Ms"): number =>
    rounded(median(rounds.map((round) => round[side][key])));
  const sides = ["highest", "standard"] as const;
  const latencies: Figures = Object.assign(
    {},
    ...sides.map((side) => ({
      [`${side}RateP50Ms`]: middle(side, "p50Ms"),
      [`${side}RateP99Ms`]: middle(side, "p99Ms"),
      [`${side}RateP99Ratio`]: rounded(median(ratios(side))),
      [`${side}RateP99RatioMin`]: rounded(Math.min(...ratios(side))),
      [`${side}RateP99RatioMax`]: rounded(Math.max(...ratios(side))),
    })),
  );
  return {
    bench: "replay",
    figures: { ...shown(replayed), ...latencies },
    baseline: {
      steadyBeforePerSecond: rounded(before.perSecond),
      steadyAfterPerSecond: rounded(after.perSecond),
      ...microsOf(after),
      othersP50Ms: middle("without", "p50Ms"),
      othersP99Ms: middle("without", "p99Ms"),
    },
    ratio: rounded(ratio),
    target: `the rate of a replay >= ${TARGET.rate} of the steady rate; other traffic's p99 beside it <= ${TARGET.p99} of that without`,
    pass: ratio >= TARGET.rate && p99 <= TARGET.p99,
    pairs: 1,
    spread: null,
  };
}

function shown(replayed: Redriven): Figures {
  return {
    redrivenPerSecond: rounded(replayed.perSecond),
    startSeconds: rounded(replayed.startSeconds),
    doneSeconds: rounded(replayed.doneSeconds),
    ...microsOf(replayed),
  };
}

/** CPU of each process for a delivery. */
function microsOf({ cpuMicros }: Arrivals): Figures {
  return Object.fromEntries(
    [...cpuMicros].map(([name, micros]) => [
      `${camelCase(name)}CpuMicrosPerDelivery`,
      rounded(micros),
    ]),
  );
}
