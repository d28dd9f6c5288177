/** retry-timing: deliveries that fail once in every tier up to 32 s, beside a quarter of the pipeline's load. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Attempt } from "@postrider/core";
import { pipelineRate } from "../harness/base-rate.ts";
import {
  checkDeadLetters,
  checkLag,
  checkSignatures,
  readAttempts,
} from "../harness/checks.ts";
import type { BenchContext, BenchResult } from "../harness/context.ts";
import { BODY_BYTES, eventOf, eventRecord } from "../harness/load.ts";
import { openLoop } from "../harness/open-loop.ts";
import { percentile, rounded } from "../harness/statistics.ts";
import { GROUPS, startWhole, type Whole } from "../harness/whole.ts";
import { failingBody } from "../sink/failures.ts";

const TIERS_MS = [1, 2, 4, 8, 16, 32].map((seconds) => seconds * 1000);
const TARGET = { p50Ms: 10, p99Ms: 50 };
/** The sum of a delivery's waits with the largest jitter, and how late they may be in all. */
const LONGEST_MS = 63_000 * 1.2 + 5_000;
/** How long the load runs alone at first: code is compiled, connections are opened. */
const WARM_UP_MS = 8_000;

export async function retryTiming(context: BenchContext): Promise<BenchResult> {
  const { isShort, say } = context;
  const failing = { count: isShort ? 1_000 : 5_000, perSecond: 125 };
  const arrivalMs = (failing.count / failing.perSecond) * 1000;
  const perSecond = Math.round(pipelineRate(context) / 4);
  const healthy = {
    perSecond,
    count: Math.round(
      (perSecond * (WARM_UP_MS + arrivalMs + LONGEST_MS)) / 1000,
    ),
  };
  const whole = await startWhole(context, {
    prefix: "timing.",
    endpoint: { retryDelaysMs: TIERS_MS },
  });
  say(`load ${perSecond}/s; ${failing.count} deliveries fail in every tier`);
  await Promise.all([
    publish(whole, "healthy", healthy),
    sleep(WARM_UP_MS).then(() =>
      publish(
        whole,
        "failing",
        failing,
        failingBody(TIERS_MS.length, BODY_BYTES),
      ),
    ),
  ]);
  const requests = healthy.count + failing.count * (TIERS_MS.length + 1);
  await whole.sink.waitForRequests(requests, LONGEST_MS);
  for (const [group, topic] of GROUPS)
    await checkLag(whole.topics, group, topic);
  await checkRequests(whole, healthy.count + failing.count, requests);
  const { waits, deferrals } = await waitsOf(whole, requests);
  return resultOf(waits, { failing: failing.count, perSecond, deferrals });
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

/** How late each retry started (ms), by the tier in which it waited; a negative number is early. */
async function waitsOf(
  { topics }: Whole,
  expected: number,
): Promise<{ waits: Map<string, number[]>; deferrals: number }> {
  const chains = new Map<string, Attempt[]>();
  let records = 0;
  let deferrals = 0;
  await readAttempts(topics, (attempt) => {
    if (attempt.attemptNumber === 0) {
      deferrals += 1;
      return;
    }
    records += 1;
    if (!attempt.eventId.startsWith("evt_failing_")) return;
    const chain = chains.get(attempt.deliveryId);
    if (chain === undefined) chains.set(attempt.deliveryId, [attempt]);
    else chain.push(attempt);
  });
  if (records !== expected)
    throw new Error(`${records} attempts for ${expected} requests`);
  const waits = new Map<string, number[]>();
  for (const chain of chains.values()) {
    chain.sort((a, b) => a.attemptNumber - b.attemptNumber);
    chain.slice(1).forEach((attempt, i) => {
      const { tier, nextAttemptAt } = chain[i]!;
      const late = attempt.startedAt - (nextAttemptAt ?? NaN);
      const known = waits.get(tier ?? "none");
      if (known === undefined) waits.set(tier ?? "none", [late]);
      else known.push(late);
    });
  }
  return { waits, deferrals };
}

function resultOf(
  waits: ReadonlyMap<string, readonly number[]>,
  {
    failing,
    perSecond,
    deferrals,
  }: { failing: number; perSecond: number; deferrals: number },
): BenchResult {
  const wrong = [...waits].filter(([, late]) => late.length !== failing);
  if (waits.size !== TIERS_MS.length || wrong.length > 0)
    throw new Error(
      `waits by tier: ${[...waits].map(([tier, late]) => `${tier} ${late.length}`).join(", ")}; expected ${failing} in each of ${TIERS_MS.length}`,
    );
  const all = [...waits.values()].flat();
  const early = all.filter((late) => !(late >= 0)).length;
  const p50Ms = percentile(all, 50);
  const p99Ms = percentile(all, 99);
  const byTier = [...waits].flatMap(([tier, late]) => [
    [`tier${tier}P50Ms`, percentile(late, 50)],
    [`tier${tier}P99Ms`, percentile(late, 99)],
  ]);
  return {
    bench: "retry-timing",
    figures: {
      early,
      p50Ms: rounded(p50Ms),
      p99Ms: rounded(p99Ms),
      maxMs: rounded(percentile(all, 100)),
      retries: all.length,
      loadPerSecond: perSecond,
      deferrals,
      ...Object.fromEntries(byTier),
    },
    baseline: {},
    ratio: null,
    target: `early 0, lateness p50 <= ${TARGET.p50Ms} ms, p99 <= ${TARGET.p99Ms} ms`,
    pass: early === 0 && p50Ms <= TARGET.p50Ms && p99Ms <= TARGET.p99Ms,
    pairs: 1,
    spread: null,
  };
}
