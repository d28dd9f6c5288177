/** burst-due: 100,000 deliveries whose waits end at the same moment, against a bare sendBatch loop of as many. */
import { topicName } from "@postrider/messaging";
import { setTimeout as sleep } from "node:timers/promises";
import { checkDeadLetters, checkLag } from "../harness/checks.ts";
import type { BenchContext, BenchResult } from "../harness/context.ts";
import {
  deliveryOf,
  ENDPOINTS,
  endpointsAt,
  eventOf,
  preload,
} from "../harness/load.ts";
import {
  BOTH_CORES,
  messageOf,
  programOf,
  startPinned,
} from "../harness/processes.ts";
import { readRecords } from "../harness/read-topic.ts";
import {
  createTopics,
  logEnds,
  startOwnStack,
  type Topics,
} from "../harness/stack.ts";
import {
  compare,
  median,
  rounded,
  withoutFirst,
} from "../harness/statistics.ts";
import { startSubject } from "../harness/subject.ts";

const TARGET = 0.8;
/** Each record goes to the longest tier that ends before the common moment. Less than a second of its wait is then left, and is spent in memory. */
const TIERS_SECONDS = [3, 4, 5, 6, 7, 8, 9, 10, 11, 12] as const;
const TIERS = TIERS_SECONDS.map((seconds) => `${seconds}s`).join(",");
const WAIT_MS = 12_500;
/** The number of records in a batch of the product. */
const BATCH = 500;

interface Burst {
  readonly perSecond: number;
  readonly early: number;
  /** The lateness (ms) of the median record and of the last. */
  readonly p50Ms: number;
  readonly lastMs: number;
}

export async function burstDue(context: BenchContext): Promise<BenchResult> {
  const { isShort, say } = context;
  const count = isShort ? 50_000 : 100_000;
  const pairs = isShort ? 4 : 6;
  const stack = await startOwnStack(context);
  const topics = await createTopics(context, stack, "burst.", {
    tiers: TIERS,
  });
  const bare = await createTopics(context, stack, "bare.");
  await startSubject(context, {
    stack,
    topics,
    services: ["retry-scheduler"],
    env: { POSTRIDER_TIERS: TIERS },
  });
  const baselines: number[] = [];
  const subjects: Burst[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const { valueBytes, burst } = await burstOf(topics, pair, count);
    subjects.push(burst);
    const target = topicName(bare.prefix, "deliveries");
    baselines.push(
      await bareLoop([
        stack.kafka.brokers[0]!,
        target,
        ENDPOINTS,
        valueBytes,
        count,
        BATCH,
      ]),
    );
    say(`pair ${pair}: ${JSON.stringify({ bare: baselines[pair], burst })}`);
  }
  await checkDeadLetters(topics);
  return resultOf(baselines, subjects);
}

async function bareLoop(args: readonly (string | number)[]): Promise<number> {
  const loop = startPinned({
    name: "send-batch",
    cores: BOTH_CORES,
    // kafkajs without our patches.
    nodeArgs: ["--disable-warning=TimeoutNegativeWarning"],
    main: programOf("baselines/send-batch.ts"),
    args: args.map(String),
  });
  const { perSecond } = await messageOf<{ perSecond: number }>(loop, "done");
  await loop.ended;
  return perSecond;
}

async function burstOf(topics: Topics, pair: number, count: number) {
  const endpoints = endpointsAt("http://127.0.0.1:9/hook");
  const before = await logEnds(topics, "deliveries");
  const dueAt = Date.now() + WAIT_MS;
  await preload(topics, count, (i) => {
    const value = deliveryOf(eventOf(String(pair), i, endpoints), {
      attemptNumber: 2,
      step: 1,
      trigger: "retry",
      nextAttemptAt: dueAt,
    });
    const restSeconds = (dueAt - Date.now()) / 1000;
    const tier = TIERS_SECONDS.findLast((seconds) => seconds <= restSeconds);
    if (tier === undefined)
      throw new Error("the records were written too late");
    return { topic: `retry.${tier}s`, key: value.endpointId, value };
  });
  await sleep(Math.max(0, dueAt - Date.now()));
  for (let sum = 0; sum < count; await sleep(50)) {
    const ends = await logEnds(topics, "deliveries");
    sum = 0;
    for (const [partition, end] of ends) sum += end - before.get(partition)!;
    if (Date.now() - dueAt > 60_000)
      throw new Error(`${sum} of ${count} were released within a minute`);
  }
  for (const seconds of TIERS_SECONDS)
    await checkLag(topics, "retry-scheduler", `retry.${seconds}s`);
  return await releasedOf(topics, { before, dueAt, count });
}

/** Computes the lateness from each record's timestamp, which its sender sets when the record leaves. */
async function releasedOf(
  topics: Topics,
  given: {
    readonly before: ReadonlyMap<number, number>;
    readonly dueAt: number;
    readonly count: number;
  },
) {
  const { before, dueAt, count } = given;
  const ids = new Set<string>();
  const late: number[] = [];
  let bytes = 0;
  await readRecords(
    topics,
    "deliveries",
    (value, raw) => {
      ids.add(value.deliveryId);
      late.push(raw.timestamp - dueAt);
      bytes += raw.value?.length ?? 0;
    },
    before,
  );
  if (late.length !== count || ids.size !== count)
    throw new Error(
      `${late.length} deliveries with ${ids.size} ids were released; expected ${count}`,
    );
  late.sort((a, b) => a - b);
  const lastMs = late.at(-1)!;
  const burst: Burst = {
    perSecond: (count * 1000) / lastMs,
    early: late.filter((ms) => ms < 0).length,
    p50Ms: median(late),
    lastMs,
  };
  return { burst, valueBytes: Math.round(bytes / count) };
}

function resultOf(
  baselines: readonly number[],
  subjects: readonly Burst[],
): BenchResult {
  const { ratio, pairs, spread } = compare(
    subjects.map(({ perSecond }, i) => ({
      subject: perSecond,
      baseline: baselines[i]!,
    })),
  );
  const counted = withoutFirst(subjects);
  const middle = (value: (burst: Burst) => number): number =>
    rounded(median(counted.map(value)));
  const early = subjects.reduce((sum, burst) => sum + burst.early, 0);
  return {
    bench: "burst-due",
    figures: {
      early,
      releasedPerSecond: middle((burst) => burst.perSecond),
      latenessP50Ms: middle((burst) => burst.p50Ms),
      lastLatenessMs: middle((burst) => burst.lastMs),
    },
    baseline: { recordsPerSecond: rounded(median(withoutFirst(baselines))) },
    ratio: rounded(ratio),
    target: `early 0, ratio >= ${TARGET}`,
    pass: early === 0 && ratio >= TARGET,
    pairs,
    spread: [rounded(spread[0]), rounded(spread[1])],
  };
}
