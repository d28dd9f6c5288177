/** catch-up: every receiver refuses connections for five minutes; how fast the backlog is delivered once they are back. */
import { setTimeout as sleep } from "node:timers/promises";
import { createPortPicker } from "@postrider/runtime";
import { checkedReport, seenAtOf } from "../harness/checks.ts";
import type { BenchContext, BenchResult } from "../harness/context.ts";
import { checkDeliveredOnce } from "../harness/delivered-once.ts";
import { bodyOf, endpointAt, eventOf, eventRecord } from "../harness/load.ts";
import { nowMicros, openLoop } from "../harness/open-loop.ts";
import { median, rounded } from "../harness/statistics.ts";
import { checkLags, steadyRate } from "../harness/steady-rate.ts";
import { startWhole, type Whole } from "../harness/whole.ts";

/** Each gets about 20 events a second: its breaker brings back 100 a second. Each has the default concurrency. With 8, as in other benches, each would be a quarter of a thousand a second by itself. */
const ENDPOINTS = 200;
const CAP = 16;
/** How long the sink takes to answer, ms; otherwise no two requests would be under way at once. */
const ANSWER_MS = 10;
/** A quarter of other benches': while it waits, a delivery is written again for each hop, and all of it must find room in memory. */
const PAYLOAD = bodyOf(256);
const TARGET = 0.8;
/** The load before the outage. */
const HEALTHY_MS = 5_000;
/** Nothing may come for so long after the recovery: a breaker is open for five minutes at most. */
const QUIET_MS = 330_000;

interface Outage {
  readonly ids: readonly string[];
  readonly openedAt: number;
}

interface CaughtUp {
  readonly backlog: number;
  readonly drainPerSecond: number;
  readonly onceBackPerSecond: number;
  readonly noticedP50Seconds: number;
  readonly noticedMaxSeconds: number;
  readonly caughtUpSeconds: number;
}

export async function catchUp(context: BenchContext): Promise<BenchResult> {
  const { isShort, say } = context;
  const outageMs = isShort ? 45_000 : 300_000;
  const count = isShort ? 30_000 : 60_000;
  // Not one of the ports that systems give to connections: while the sink is shut, nobody else gets it.
  const port = await createPortPicker().pick(0);
  const whole = await startWhole(context, {
    prefix: "catchup.",
    // ingest is frozen while events are written, and must keep its partitions.
    env: { POSTRIDER_SESSION_TIMEOUT: "30s" },
    sinkArgs: ["--answer-after", String(ANSWER_MS), "--port", String(port)],
    endpointsOf: ({ url }) =>
      Array.from({ length: ENDPOINTS }, (_, i) =>
        endpointAt(i, `${url}/${i}`, { maxConcurrency: CAP }),
      ),
  });
  const load = { count, payload: PAYLOAD };
  await steadyRate(whole, { run: "warm-up", ...load });
  const { perSecond: before } = await steadyRate(whole, {
    run: "before",
    ...load,
  });
  // This is what `pipeline` measures, too, but in this run: so the load is half of what this machine can do now.
  const perSecond = Math.round(before / 2);
  say(`steady ${Math.round(before)}/s; load ${perSecond}/s`);
  const outage = await loadThroughOutage(whole, { perSecond, outageMs });
  say("the sink is back");
  await whole.sink.waitForUnique(outage.ids.length, QUIET_MS);
  const { caughtUp, mostAtOnce } = await checked(whole, outage);
  say(JSON.stringify(caughtUp));
  const { perSecond: after } = await steadyRate(whole, {
    run: "after",
    ...load,
  });
  const all = outage.ids.length + 3 * count;
  const { failed, deferrals } = await checkDeliveredOnce(whole.topics, all);
  if (mostAtOnce > CAP)
    throw new Error(
      `${mostAtOnce} requests of an endpoint at once: cap ${CAP}`,
    );
  const steadyPerSecond = (before + after) / 2;
  const ratio = caughtUp.drainPerSecond / steadyPerSecond;
  return {
    bench: "catch-up",
    figures: {
      outageSeconds: outageMs / 1000,
      loadPerSecond: perSecond,
      ...Object.fromEntries(
        Object.entries(caughtUp).map(([name, value]) => [name, rounded(value)]),
      ),
      onceBackRatio: rounded(caughtUp.onceBackPerSecond / steadyPerSecond),
      mostAtOnce,
      repeats: 0,
      failedAttempts: failed,
      deferrals,
    },
    baseline: {
      steadyBeforePerSecond: rounded(before),
      steadyAfterPerSecond: rounded(after),
    },
    ratio: rounded(ratio),
    target: `from the recovery to 90 % of the backlog: ratio >= ${TARGET} of the steady rate; no endpoint above its concurrency; repeats 0`,
    pass: ratio >= TARGET,
    pairs: 1,
    spread: null,
  };
}

async function loadThroughOutage(
  { topics, sink, endpoints }: Whole,
  { perSecond, outageMs }: { perSecond: number; outageMs: number },
): Promise<Outage> {
  await sink.reset();
  const ids: string[] = [];
  let isOver = false;
  const loading = openLoop({
    count: Infinity,
    perSecond,
    isOver: () => isOver,
    send: (from, to) =>
      topics.output.send(
        Array.from({ length: to - from }, (_, i) => {
          const event = eventOf("outage", from + i, endpoints, PAYLOAD);
          ids.push(event.webhookId);
          return eventRecord(event);
        }),
      ),
  });
  const outage = async (): Promise<number> => {
    await sleep(HEALTHY_MS);
    await sink.shut();
    await sleep(outageMs);
    isOver = true;
    await sink.open();
    return nowMicros();
  };
  const [, openedAt] = await Promise.all([
    loading,
    outage().finally(() => (isOver = true)),
  ]);
  return { ids, openedAt };
}

async function checked(whole: Whole, { ids, openedAt }: Outage) {
  await checkLags(whole.topics);
  const report = await checkedReport(whole.sink, new Set(ids));
  return {
    caughtUp: caughtUpOf({ ids, openedAt }, seenAtOf(report)),
    mostAtOnce: Math.max(...report.mostAtOnce.values()),
  };
}

function caughtUpOf(
  { ids, openedAt }: Outage,
  seenAt: ReadonlyMap<string, number>,
): CaughtUp {
  const secondsOf = (id: string): number => (seenAt.get(id)! - openedAt) / 1e6;
  const firstOf = new Map<number, number>();
  const backlog: number[] = [];
  ids.forEach((id, i) => {
    const seconds = secondsOf(id);
    if (seconds < 0) return;
    backlog.push(seconds);
    const endpoint = i % ENDPOINTS;
    const first = firstOf.get(endpoint) ?? Infinity;
    firstOf.set(endpoint, Math.min(first, seconds));
  });
  backlog.sort((a, b) => a - b);
  const at = (share: number): number =>
    backlog[Math.floor((backlog.length - 1) * share)]!;
  return {
    backlog: backlog.length,
    drainPerSecond: (0.9 * backlog.length) / at(0.9),
    onceBackPerSecond: (0.8 * backlog.length) / (at(0.9) - at(0.1)),
    noticedP50Seconds: median([...firstOf.values()]),
    noticedMaxSeconds: Math.max(...firstOf.values()),
    caughtUpSeconds: at(1),
  };
}
