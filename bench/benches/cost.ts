/**
 * cost: what a delivery costs where there is little to do, at 2, 10 and 25 % of the pipeline's rate, through the `events` topic and
 * through the door; and what the processes use that have nothing to do. CPU is that of our five services, Kafka and ClickHouse,
 * without the load's and the sink's. Requests are counted by the broker, inserts and parts by ClickHouse.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { pipelineRate } from "../harness/base-rate.ts";
import { countRequests } from "../harness/broker-requests.ts";
import { checkRows } from "../harness/checked-rows.ts";
import {
  checkAttempts,
  checkedReport,
  checkLag,
  seenAtOf,
} from "../harness/checks.ts";
import type { BenchContext, BenchResult } from "../harness/context.ts";
import {
  costOf,
  idleFigures,
  loadFigures,
  ourMb,
  type Cost,
} from "../harness/cost-of.ts";
import { eventOf } from "../harness/load.ts";
import { openLoop } from "../harness/open-loop.ts";
import { BOTH_CORES } from "../harness/processes.ts";
import {
  doorPublisher,
  topicPublisher,
  type Publisher,
} from "../harness/publishers.ts";
import { rawSignedLoop } from "../harness/raw-loop.ts";
import { sinkLimit } from "../harness/sink-limit.ts";
import { median, rounded, withoutFirst } from "../harness/statistics.ts";
import { usageOf, type Observed, type Usage } from "../harness/usage.ts";
import { GROUPS, startWhole } from "../harness/whole.ts";

const SHARES = [0.02, 0.1, 0.25] as const;
/** The share for which a ratio is claimed. */
const CLAIMED = 0.1;
const WAYS = ["topic", "door"] as const;
type Way = (typeof WAYS)[number];

/** All CPU ÷ that of the raw loop; the memory of our services in millions of bytes. */
const TARGET = { ratio: 40, idleMb: 450, loadedMb: 700 };
/** The beginning of each load, which is not counted. */
const WARM_UP_SECONDS = 5;
/** A load goes on for so long after what is counted, while the servers are asked what they did. */
const TAIL_SECONDS = 1;
const RAW_REQUESTS = 60_000;

interface Load {
  readonly way: Way;
  readonly share: number;
  readonly perSecond: number;
  /** Without warm-up and tail. */
  readonly seconds: number;
}

interface Ran extends Load {
  readonly cost: Cost;
}

interface Measured {
  readonly idle: Usage;
  readonly runs: readonly Ran[];
  /** CPU µs per request of each raw loop. */
  readonly rawMicros: readonly number[];
}

export async function cost(context: BenchContext): Promise<BenchResult> {
  const { isShort, say } = context;
  const whole = await startWhole(context, { prefix: "cost.", isBundled: true });
  const { sink, stack, topics } = whole;
  // Its table would fetch from the broker all the time. Our own schemas are known without it.
  await topics.schemas.stop(Date.now() + 5_000);
  const kafkaPid = stack.kafka.server?.pid() ?? 0;
  const requests = await countRequests(context, kafkaPid);
  const publishers: Record<Way, Publisher> = {
    topic: await topicPublisher(context, whole),
    door: doorPublisher(context, whole),
  };
  const ownProduces = (): number => publishers.topic.produceRequests();
  const observed = { whole, requests, ownProduces };
  await sleep(isShort ? 5_000 : 10_000);
  const idle = await usageOf(observed, isShort ? 10 : 30);
  say(JSON.stringify(idleFigures("idle", idle)));

  const limit = await sinkLimit(sink, BOTH_CORES);
  const rawMicros: number[] = [];
  const runs: Ran[] = [];
  for (const load of loadsOf(context)) {
    const prefix = `raw_${rawMicros.length}_`;
    const loop = { count: RAW_REQUESTS, prefix, limit, cores: BOTH_CORES };
    rawMicros.push(1e6 / (await rawSignedLoop(sink, loop)).perCpuSecond);
    const name = `${runs.length}${load.way}`;
    const publisher = publishers[load.way];
    const ran = await run(observed, { ...load, name, publisher });
    say(`${name}: ${JSON.stringify(loadFigures(nameOf(load), ran))}`);
    runs.push({ ...load, cost: ran });
  }
  const sent = runs.reduce((sum, load) => sum + countOf(load), 0);
  await checkAttempts(topics, sent);
  return resultOf({ idle, runs: runs.slice(WAYS.length), rawMicros });
}

/** The first load of each way compiles the code, and is not counted. */
function loadsOf(context: BenchContext): Load[] {
  const { isShort } = context;
  const rate = pipelineRate(context);
  const shares = isShort ? [CLAIMED] : SHARES;
  return [SHARES.at(-1)!, ...shares].flatMap((share, i) =>
    WAYS.map((way) => ({
      way,
      share,
      perSecond: Math.max(20, Math.round(rate * share)),
      seconds: i === 0 || isShort ? 10 : 60,
    })),
  );
}

function countOf({ perSecond, seconds }: Load): number {
  return perSecond * (WARM_UP_SECONDS + seconds + TAIL_SECONDS);
}

async function run(
  observed: Observed,
  load: Load & { readonly name: string; readonly publisher: Publisher },
): Promise<Cost> {
  const { sink, topics, endpoints } = observed.whole;
  const { name, perSecond, seconds, publisher } = load;
  const count = countOf(load);
  const ids: string[] = [];
  await sink.reset();
  const loop = openLoop({
    perSecond,
    count,
    send: (from, to) => {
      const events = Array.from({ length: to - from }, (_, i) =>
        eventOf(name, from + i, endpoints),
      );
      ids.push(...events.map(({ webhookId }) => webhookId));
      return publisher.publish(events);
    },
  });
  const [startedAt, usage] = await Promise.all([
    loop,
    sleep(WARM_UP_SECONDS * 1000).then(() => usageOf(observed, seconds)),
  ]);
  await sink.waitForUnique(count);
  for (const [group, topic] of GROUPS) await checkLag(topics, group, topic);
  const seen = seenAtOf(await checkedReport(sink, new Set(ids)));
  await checkRows(observed.whole, name, count);
  const seenAt = ids.map((id) => seen.get(id)!);
  return costOf(usage, { perSecond, startedAt, seenAt });
}

function nameOf({ way, share }: Load): string {
  return `${way}At${share * 100}Percent`;
}

function resultOf({ idle, runs, rawMicros }: Measured): BenchResult {
  const raw = median(withoutFirst(rawMicros));
  const ratios = runs
    .filter(({ share }) => share === CLAIMED)
    .map(({ cost: { allMicros } }) => allMicros / raw);
  const ratio = Math.max(...ratios);
  const idleMb = ourMb(idle);
  const loadedMb = Math.max(...runs.map((ran) => ourMb(ran.cost.usage)));
  const figures = runs.map((ran) => ({
    [`${nameOf(ran)}PerSecond`]: ran.perSecond,
    ...loadFigures(nameOf(ran), ran.cost),
  }));
  return {
    bench: "cost",
    figures: Object.assign({}, ...figures, idleFigures("idle", idle)),
    baseline: { cpuMicrosPerRequest: rounded(raw) },
    ratio: rounded(ratio),
    target: `all CPU of a delivery at ${CLAIMED * 100} % <= ${TARGET.ratio} raw requests by either way; our memory <= ${TARGET.idleMb} MB idle, <= ${TARGET.loadedMb} MB loaded`,
    pass:
      ratio <= TARGET.ratio &&
      idleMb <= TARGET.idleMb &&
      loadedMb <= TARGET.loadedMb,
    pairs: ratios.length,
    spread: [rounded(Math.min(...ratios)), rounded(ratio)],
  };
}
