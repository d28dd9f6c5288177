/** hostile: one endpoint for each misbehaviour of the testkit, 500 deliveries a second for all of them together; what attempts, memory and healthy endpoints show of it. */
import type { Endpoint } from "@postrider/core";
import { MISBEHAVIOUR_NAMES, MISBEHAVIOURS } from "@postrider/testkit";
import type { Arrival } from "../harness/arrival.ts";
import { pipelineRate } from "../harness/base-rate.ts";
import { checkLag } from "../harness/checks.ts";
import type { BenchContext, BenchResult } from "../harness/context.ts";
import {
  hostileAttempts,
  type HostileAttempts,
} from "../harness/hostile-attempts.ts";
import { growthOf, watchMemory } from "../harness/memory.ts";
import { mixedLoad, type MixedLoad } from "../harness/mixed-load.ts";
import {
  arrivalAtSink,
  countOf,
  sendLoad,
  startNeighbours,
  type Load,
  type Neighbours,
  type Sent,
} from "../harness/neighbours.ts";
import { cpuSecondsOf } from "../harness/proc-stat.ts";
import { median, rounded } from "../harness/statistics.ts";
import { GROUPS } from "../harness/whole.ts";

const HOSTILE_PER_SECOND = 500;
const HEALTHY = 20;
/** Of the pipeline's rate, for the healthy endpoints. */
const SHARE = 0.1;
const WARM_UP_SECONDS = 2;
/** The deadline of attempts to hostile endpoints, ms. Shorter than the default, so that a late end is a larger part of it. */
const DEADLINE_MS = 5_000;
/** The time in which everything must have been read once the endpoints are well, ms. What waits for a breaker is still in the tiers then. */
const REST_WITHIN_MS = 60_000;
const TARGET = {
  longest: 1.1,
  /** 200 bytes a hostile delivery. */
  growthKbPerSecond: 100,
  ratio: 1.2,
};

export async function hostile(context: BenchContext): Promise<BenchResult> {
  const { isShort, say } = context;
  const windowSeconds = isShort ? 12 : 60;
  const windows = Array.from({ length: isShort ? 3 : 5 }, (_, i) => i);
  const perSecond =
    HOSTILE_PER_SECOND + Math.round(pipelineRate(context) * SHARE);
  const hood = await startNeighbours(context, {
    prefix: "hostile.",
    wells: HEALTHY + MISBEHAVIOUR_NAMES.length,
    misbehaviours: MISBEHAVIOUR_NAMES,
    sets: 1,
    unrulyEndpoint: { timeoutMs: DEADLINE_MS },
  });
  const loadOf = (
    name: string,
    seconds: number,
    others: readonly Endpoint[],
  ): MixedLoad =>
    mixedLoad({
      name,
      perSecond,
      seconds: WARM_UP_SECONDS + seconds,
      othersPerSecond: HOSTILE_PER_SECOND,
      others,
      wells: hood.wells.slice(0, HEALTHY),
    });
  const standIns = hood.wells.slice(HEALTHY);
  const loads = {
    warmUp: loadOf("warm-up", 1, standIns),
    without: loadOf("without", windowSeconds, standIns),
    with: loadOf("with", windows.length * windowSeconds, hood.unrulySets[0]!),
  };
  /** The healthy events of a window; the first begins after the warm-up. */
  const inWindow = (nth: number) => (i: number) =>
    !loads.with.isOthers(i) &&
    Math.floor((i / perSecond - WARM_UP_SECONDS) / windowSeconds) === nth;

  await ran(context, hood, loads.warmUp);
  await settled(hood);
  const calm = await ran(context, hood, loads.without);
  await settled(hood);
  const [without] = await arrivalAtSink(hood, calm.sent, inWindow(0));
  say(`without: ${JSON.stringify({ ...without, cpu: calm.cpuMicros })}`);

  await hood.unruly.turn(false);
  const memory = watchMemory(hood.pidOf("dispatcher"));
  const wild = await ran(context, hood, loads.with);
  const growth = growthOf(memory.stop());
  const wellFrom = Date.now();
  await hood.unruly.turn(true);
  await settled(hood);
  const inWindows = windows.map(inWindow);
  const arrivals = await arrivalAtSink(hood, wild.sent, ...inWindows);
  say(`with: ${JSON.stringify({ arrivals, cpu: wild.cpuMicros })}`);
  const attempts = await attemptsOf(hood, Object.values(loads), wellFrom);
  say(JSON.stringify({ growth, attempts }));
  const measured = { perSecond, calm, without: without!, wild, arrivals };
  return resultOf({ ...measured, growth, attempts }, isShort);
}

interface Ran {
  readonly sent: Sent;
  /** CPU time of our services for each event of the load until the healthy ones had come, µs. */
  readonly cpuMicros: number;
}

async function ran(
  context: BenchContext,
  hood: Neighbours,
  load: Load,
): Promise<Ran> {
  const cpu = (): number =>
    hood.running.services.reduce((sum, { pid }) => sum + cpuSecondsOf(pid), 0);
  const before = cpu();
  const sent = await sendLoad(context, hood, load);
  return { sent, cpuMicros: ((cpu() - before) * 1e6) / countOf(load) };
}

/** Everything that came has been read. What waits for an open breaker, or a retry, is in the tiers. */
async function settled({ topics }: Neighbours): Promise<void> {
  for (const [group, topic] of GROUPS)
    await checkLag(topics, group, topic, REST_WITHIN_MS);
}

async function attemptsOf(
  { topics, endpoints, unrulySets }: Neighbours,
  loads: readonly Load[],
  wellFrom: number,
): Promise<HostileAttempts> {
  const hostile = new Map(
    MISBEHAVIOUR_NAMES.map((name, i) => [
      unrulySets[0]![i]!.id,
      { name, outcome: MISBEHAVIOURS[name].outcome },
    ]),
  );
  const goneId = unrulySets[0]![MISBEHAVIOUR_NAMES.indexOf("gone")]!.id;
  const events = loads.flatMap((load) =>
    Array.from({ length: countOf(load) }, (_, i) => ({
      id: `evt_${load.name}_${i}`,
      endpointId: load.endpointOf(i).id,
    })),
  );
  const wanted = events.filter(({ endpointId }) => endpointId !== goneId);
  return await hostileAttempts(topics, {
    endpoints,
    hostile,
    goneId,
    eventIds: new Set(wanted.map(({ id }) => id)),
    wellFrom,
  });
}

interface Measured {
  readonly perSecond: number;
  readonly calm: Ran;
  readonly without: Arrival;
  readonly wild: Ran;
  /** With hostile endpoints, one for each window. */
  readonly arrivals: readonly Arrival[];
  readonly growth: number;
  readonly attempts: HostileAttempts;
}

function resultOf(
  { perSecond, calm, without, wild, arrivals, growth, attempts }: Measured,
  isShort: boolean,
): BenchResult {
  const ratios = arrivals.map(({ p99Ms }) => p99Ms / without.p99Ms);
  const ratio = median(ratios);
  return {
    bench: "hostile",
    figures: {
      hostilePerSecond: HOSTILE_PER_SECOND,
      healthyPerSecond: perSecond - HOSTILE_PER_SECOND,
      healthyP50Ms: rounded(median(arrivals.map(({ p50Ms }) => p50Ms))),
      healthyP99Ms: rounded(median(arrivals.map(({ p99Ms }) => p99Ms))),
      healthyDelivered: rounded(
        Math.min(...arrivals.map(({ delivered }) => delivered)),
      ),
      healthyDeferrals: attempts.healthyDeferrals,
      cpuMicrosPerEvent: rounded(wild.cpuMicros),
      attempts: attempts.attempts,
      attemptsAsExpected: rounded(attempts.asExpected / attempts.attempts),
      longestAttemptOfDeadline: rounded(attempts.longest),
      growthKbPerSecond: rounded(growth),
    },
    baseline: {
      healthyP50Ms: without.p50Ms,
      healthyP99Ms: without.p99Ms,
      cpuMicrosPerEvent: rounded(calm.cpuMicros),
    },
    ratio: rounded(ratio),
    target: `healthy p99 <= ${TARGET.ratio} of that without, longest attempt <= ${TARGET.longest} of its deadline, memory grows by <= ${TARGET.growthKbPerSecond} KB/s (full run)`,
    pass:
      ratio <= TARGET.ratio &&
      attempts.longest <= TARGET.longest &&
      // A short run is over before the process has its full size.
      (isShort || growth <= TARGET.growthKbPerSecond),
    pairs: arrivals.length,
    spread: [rounded(Math.min(...ratios)), rounded(Math.max(...ratios))],
  };
}
