/** footprint: what 100,000 endpoints cost a dispatcher in memory, in time to readiness and in latency, beside a dispatcher with 100. */
import { setTimeout as sleep } from "node:timers/promises";
import { pipelineRate } from "../harness/base-rate.ts";
import type { BenchContext, BenchResult } from "../harness/context.ts";
import { endpointAt } from "../harness/load.ts";
import { residentMbOf } from "../harness/proc-stat.ts";
import { BOTH_CORES } from "../harness/processes.ts";
import { startSink, type Sink } from "../harness/sink.ts";
import { Site, type Started } from "../harness/site.ts";
import { startOwnStack } from "../harness/stack.ts";
import {
  compare,
  median,
  percentile,
  rounded,
  withoutFirst,
} from "../harness/statistics.ts";

const LARGE = { endpoints: 100_000, active: 10_000, origins: 500 };
/** As many endpoints at each origin as the large site has active ones. */
const SMALL = { endpoints: 100, active: 100, origins: 5 };
/** The share of the pipeline's rate at which latency is measured. */
const SHARE = 0.25;
const TARGET = { aboveEmptyMb: 250, readyMs: 5_000, ratio: 1.1 };
/** The beginning of each round, which is not counted. */
const WARM_UP_SECONDS = 2;
const STARTS = 3;
/** How long an idle dispatcher is left alone before its memory is read. */
const IDLE_MS = 3_000;

interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export async function footprint(context: BenchContext): Promise<BenchResult> {
  const { isShort, say } = context;
  const perSecond = Math.round(pipelineRate(context) * SHARE);
  const rounds = isShort ? 3 : 8;
  const seconds = WARM_UP_SECONDS + (isShort ? 6 : 8);
  const stack = await startOwnStack(context);
  await stack.clickhouse.server?.stop();
  const sink = await startSink(BOTH_CORES, ["--ports", String(LARGE.origins)]);
  const site = (prefix: string, size: Partial<typeof LARGE>) =>
    Site.create(context, { stack, sink, prefix, ...endpointsOf(sink, size) });

  const empty = await (await site("empty.", {})).startDispatcher();
  await sleep(IDLE_MS);
  const emptyMb = residentMbOf(empty.pid);
  await empty.stop();
  const small = await site("small.", SMALL);
  const large = await site("large.", LARGE);
  const smallOne = await small.startDispatcher();
  const readyMs: number[] = [];
  let largeOne: Started | null = null;
  for (let start = 0; start < STARTS; start++) {
    await largeOne?.stop();
    largeOne = await large.startDispatcher();
    readyMs.push(largeOne.readyMs);
  }
  await sleep(IDLE_MS);
  const idleMb = residentMbOf(largeOne!.pid);
  say(`${JSON.stringify({ emptyMb, idleMb, readyMs })}; load ${perSecond}/s`);

  // Before anything is counted, every active endpoint has been called once.
  const first = Math.max(seconds, (1.2 * LARGE.active) / perSecond);
  const baselines: Latency[] = [];
  const subjects: Latency[] = [];
  const loadedMb: number[] = [];
  const smallLoadedMb: number[] = [];
  for (let round = 0; round <= rounds; round++) {
    const count = Math.round(perSecond * (round === 0 ? first : seconds));
    const run = { count, perSecond };
    baselines.push(latencyOf(await small.latencies(run), perSecond));
    subjects.push(latencyOf(await large.latencies(run), perSecond));
    smallLoadedMb.push(residentMbOf(smallOne.pid));
    loadedMb.push(residentMbOf(largeOne!.pid));
    const [baseline, subject] = [baselines.at(-1), subjects.at(-1)];
    const mb = loadedMb.at(-1);
    say(`round ${round}: ${JSON.stringify({ baseline, subject, mb })}`);
  }
  const deferrals =
    (await small.checkAttempts()) + (await large.checkAttempts());
  return resultOf(baselines, subjects, {
    perSecond,
    emptyReadyMs: rounded(empty.readyMs),
    readyMs: rounded(Math.max(...readyMs)),
    emptyMb: rounded(emptyMb),
    idleMb: rounded(idleMb),
    loadedMb: rounded(Math.max(...loadedMb)),
    smallLoadedMb: rounded(Math.max(...smallLoadedMb)),
    deferrals,
  });
}

function endpointsOf(sink: Sink, size: Partial<typeof LARGE>) {
  const { endpoints = 0, active = 0, origins = 1 } = size;
  return {
    active,
    endpoints: Array.from({ length: endpoints }, (_, i) =>
      endpointAt(i, sink.urls[i % origins]!),
    ),
  };
}

function latencyOf(all: readonly number[], perSecond: number): Latency {
  const ms = all.slice(WARM_UP_SECONDS * perSecond);
  return { p50Ms: percentile(ms, 50), p99Ms: percentile(ms, 99) };
}

function resultOf(
  baselines: readonly Latency[],
  subjects: readonly Latency[],
  measured: {
    readonly perSecond: number;
    readonly emptyReadyMs: number;
    readonly readyMs: number;
    readonly emptyMb: number;
    readonly idleMb: number;
    readonly loadedMb: number;
    readonly smallLoadedMb: number;
    readonly deferrals: number;
  },
): BenchResult {
  const { ratio, pairs, spread } = compare(
    subjects.map(({ p99Ms }, i) => ({
      subject: p99Ms,
      baseline: baselines[i]!.p99Ms,
    })),
  );
  const middle = (of: readonly Latency[]) => ({
    p50Ms: rounded(median(withoutFirst(of).map(({ p50Ms }) => p50Ms))),
    p99Ms: rounded(median(withoutFirst(of).map(({ p99Ms }) => p99Ms))),
  });
  const { readyMs, emptyMb, idleMb, loadedMb, smallLoadedMb } = measured;
  const idleAboveEmptyMb = rounded(idleMb - emptyMb);
  // A dispatcher without endpoints cannot be loaded, so under load one with a hundred takes its place.
  const loadedAboveHundredMb = rounded(loadedMb - smallLoadedMb);
  return {
    bench: "footprint",
    figures: {
      idleAboveEmptyMb,
      loadedAboveHundredMb,
      idleMb,
      loadedMb,
      readyMs,
      ...middle(subjects),
      perSecond: measured.perSecond,
      deferrals: measured.deferrals,
    },
    baseline: {
      emptyMb,
      hundredLoadedMb: smallLoadedMb,
      emptyReadyMs: measured.emptyReadyMs,
      ...middle(baselines),
    },
    ratio: rounded(ratio),
    target: `memory above an empty table, idle and loaded, <= ${TARGET.aboveEmptyMb} MB, ready <= ${TARGET.readyMs} ms, p99 latency <= ${TARGET.ratio} of that of 100 endpoints`,
    pass:
      Math.max(idleAboveEmptyMb, loadedAboveHundredMb) <= TARGET.aboveEmptyMb &&
      readyMs <= TARGET.readyMs &&
      ratio <= TARGET.ratio,
    pairs,
    spread: [rounded(spread[0]), rounded(spread[1])],
  };
}
