/**
 * retry-timing: deliveries that fail once in every tier up to 32 s, beside a quarter of the pipeline's load. Twice: first our services
 * have a core that nothing else uses, then everything shares both cores. What is late only then waits for a core.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { ServiceName } from "@postrider/cli";
import { pipelineRate } from "../harness/base-rate.ts";
import {
  checkDeadLetters,
  checkLag,
  checkSignatures,
} from "../harness/checks.ts";
import type { BenchContext, BenchResult, Figures } from "../harness/context.ts";
import { BODY_BYTES, eventOf, eventRecord } from "../harness/load.ts";
import { openLoop } from "../harness/open-loop.ts";
import {
  BOTH_CORES,
  OTHER_CORE,
  pin,
  SUBJECT_CORE,
} from "../harness/processes.ts";
import { percentile, rounded } from "../harness/statistics.ts";
import { tierWaits, type TierWaits } from "../harness/tier-waits.ts";
import {
  GROUPS,
  named,
  pidsOf,
  startWhole,
  type Whole,
} from "../harness/whole.ts";
import { failingBody } from "../sink/failures.ts";

const TARGET = { p50Ms: 10, p99Ms: 50 };
/** How long the load runs alone at first: code is compiled, connections are opened. */
const WARM_UP_MS = 8_000;
/** What shares a core with our services. */
const WAYS = ["apart", "together"] as const;
type Way = (typeof WAYS)[number];
/** They send, wait and release; what they do late is late. The recorder and control only record. */
const OURS: readonly string[] = [
  "ingest",
  "dispatcher",
  "retry-scheduler",
] satisfies readonly ServiceName[];

interface Load {
  readonly tiersMs: readonly number[];
  /** Deliveries that fail in every tier. */
  readonly failing: number;
  /** Healthy events a second. */
  readonly perSecond: number;
}

/** Per second; so the retries of one tier never come all at once. */
const FAILING_PER_SECOND = 125;

export async function retryTiming(context: BenchContext): Promise<BenchResult> {
  const { isShort, say } = context;
  const tiers = isShort ? [1, 2, 4, 8] : [1, 2, 4, 8, 16, 32];
  const load: Load = {
    tiersMs: tiers.map((seconds) => seconds * 1000),
    failing: isShort ? 1_000 : 5_000,
    perSecond: Math.round(pipelineRate(context) / 4),
  };
  const whole = await startWhole(context, {
    prefix: "timing.",
    endpoint: { retryDelaysMs: [...load.tiersMs] },
  });
  say(
    `load ${load.perSecond}/s; ${load.failing} deliveries fail in every tier`,
  );
  const found = new Map<Way, TierWaits>();
  let requestsBefore = 0;
  for (const way of WAYS) {
    pinAll(whole, way);
    const requests = await oneRun(whole, way, load);
    requestsBefore += requests;
    const waits = await tierWaits(whole.topics, {
      idPrefix: `evt_failing-${way}_`,
      requests: requestsBefore,
    });
    checkWaits(waits, load);
    found.set(way, waits);
    say(`${way}: ${JSON.stringify(summaryOf(waits))}`);
  }
  return resultOf(found, load);
}

/** The harness produces and the sink answers beside the stores. */
function pinAll(whole: Whole, way: Way): void {
  const pids = pidsOf(whole).set("bench", process.pid);
  for (const [name, pid] of pids) {
    if (way === "together") pin(pid, BOTH_CORES);
    else pin(pid, OURS.includes(name) ? SUBJECT_CORE : OTHER_CORE);
  }
}

/** Returns the number of requests that it made. */
async function oneRun(
  whole: Whole,
  way: Way,
  { tiersMs, failing, perSecond }: Load,
): Promise<number> {
  const arrivalMs = (failing / FAILING_PER_SECOND) * 1000;
  // The sum of a delivery's waits with the largest jitter, and how late they may be in all.
  const longestMs = tiersMs.reduce((sum, each) => sum + each, 0) * 1.2 + 5_000;
  const healthy = Math.round(
    (perSecond * (WARM_UP_MS + arrivalMs + longestMs)) / 1000,
  );
  await whole.sink.reset();
  await Promise.all([
    publish(whole, `healthy-${way}`, { count: healthy, perSecond }),
    sleep(WARM_UP_MS).then(() =>
      publish(
        whole,
        `failing-${way}`,
        { count: failing, perSecond: FAILING_PER_SECOND },
        failingBody(tiersMs.length, BODY_BYTES),
      ),
    ),
  ]);
  const requests = healthy + failing * (tiersMs.length + 1);
  await whole.sink.waitForRequests(requests, longestMs);
  for (const [group, topic] of GROUPS)
    await checkLag(whole.topics, group, topic);
  await checkRequests(whole, healthy + failing, requests);
  return requests;
}

async function publish(
  { topics, endpoints }: Whole,
  run: string,
  { count, perSecond }: { count: number; perSecond: number },
  payload?: Buffer,
): Promise<void> {
  await openLoop({
    count,
    perSecond,
    send: (from, to) =>
      topics.output.send(
        Array.from({ length: to - from }, (_, i) =>
          eventRecord(eventOf(run, from + i, endpoints, payload)),
        ),
      ),
  });
}

async function checkRequests(
  { sink, topics }: Whole,
  ids: number,
  requests: number,
): Promise<void> {
  const report = await sink.report();
  if (report.unique !== ids || report.requests !== requests)
    throw new Error(
      `the sink saw ${report.requests} requests with ${report.unique} ids; expected ${requests} with ${ids}`,
    );
  checkSignatures(report);
  await checkDeadLetters(topics);
}

function checkWaits({ waits }: TierWaits, { tiersMs, failing }: Load): void {
  const wrong = [...waits].filter(([, late]) => late.length !== failing);
  if (waits.size !== tiersMs.length || wrong.length > 0)
    throw new Error(
      `waits by tier: ${[...waits].map(([tier, late]) => `${tier} ${late.length}`).join(", ")}; expected ${failing} in each of ${tiersMs.length}`,
    );
}

function summaryOf({ waits, deferrals }: TierWaits): Figures {
  const all = [...waits.values()].flat();
  const byTier = [...waits].flatMap(([tier, late]) => [
    [`tier${tier}P50Ms`, percentile(late, 50)],
    [`tier${tier}P99Ms`, percentile(late, 99)],
  ]);
  return {
    early: all.filter((late) => !(late >= 0)).length,
    p50Ms: rounded(percentile(all, 50)),
    p99Ms: rounded(percentile(all, 99)),
    maxMs: rounded(percentile(all, 100)),
    retries: all.length,
    deferrals,
    ...Object.fromEntries(byTier),
  } as Figures; // byTier holds pairs of a name and a number
}

function resultOf(
  found: ReadonlyMap<Way, TierWaits>,
  { perSecond }: Load,
): BenchResult {
  const together = summaryOf(found.get("together")!);
  const apart = named("apart", summaryOf(found.get("apart")!));
  const early = together["early"]! + apart["apartEarly"]!;
  return {
    bench: "retry-timing",
    figures: { ...together, loadPerSecond: perSecond, ...apart },
    baseline: {},
    ratio: null,
    target: `early 0, lateness p50 <= ${TARGET.p50Ms} ms, p99 <= ${TARGET.p99Ms} ms, with both cores shared`,
    pass:
      early === 0 &&
      together["p50Ms"]! <= TARGET.p50Ms &&
      together["p99Ms"]! <= TARGET.p99Ms,
    pairs: 1,
    spread: null,
  };
}
