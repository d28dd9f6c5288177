/** drain: preloaded deliveries, the dispatcher alone on one core, against a raw signed dispatch loop on that core. */
import type { Stack } from "@postrider/local-stack";
import { checkAttempts, checkedReport, checkLag } from "../harness/checks.ts";
import type { BenchContext, BenchResult } from "../harness/context.ts";
import {
  deliveryOf,
  endpointsAt,
  eventOf,
  preload,
  writeEndpoints,
} from "../harness/load.ts";
import { measureDrain, type Drained } from "../harness/measure-drain.ts";
import { OTHER_CORE, pin, SUBJECT_CORE } from "../harness/processes.ts";
import { rawSignedLoop } from "../harness/raw-loop.ts";
import { checkSinkLimit, sinkLimit } from "../harness/sink-limit.ts";
import { startSink, type Sink } from "../harness/sink.ts";
import { createTopics, startOwnStack } from "../harness/stack.ts";
import {
  compare,
  median,
  rounded,
  withoutFirst,
} from "../harness/statistics.ts";
import { explained, startPinnedService } from "../harness/subject.ts";

const TARGET = 0.55;

interface Subject extends Drained {
  readonly deferrals: number;
}

export async function drain(context: BenchContext): Promise<BenchResult> {
  const { isShort, say } = context;
  // Hot code is compiled in the first seconds, so a tenth of the ids, which is not measured, must take longer than that.
  const count = isShort ? 60_000 : 200_000;
  const pairs = isShort ? 4 : 6;
  const stack = await startOwnStack(context);
  const broker = stack.kafka.server?.pid();
  if (broker) pin(broker, OTHER_CORE);
  pin(process.pid, OTHER_CORE);
  await stack.clickhouse.server?.stop();
  const sink = await startSink(OTHER_CORE);
  const limits: number[] = [];
  const baselines: Drained[] = [];
  const subjects: Subject[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    // Measured again for each pair, because the machine's speed changes within a minute.
    const limit = await sinkLimit(sink, SUBJECT_CORE);
    say(`the sink takes ${Math.round(limit)}/s from a bare loop`);
    limits.push(limit);
    const baseline = await rawSignedLoop(sink, {
      count,
      prefix: `raw_${pair}_`,
      limit,
      cores: SUBJECT_CORE,
    });
    const subject = await drained(context, stack, { sink, pair, count });
    checkSinkLimit(limit, baseline);
    checkSinkLimit(limit, subject);
    baselines.push(baseline);
    subjects.push(subject);
    say(`pair ${pair}: ${JSON.stringify({ baseline, subject })}`);
  }
  return resultOf(baselines, subjects, Math.min(...limits));
}

async function drained(
  context: BenchContext,
  stack: Stack,
  { sink, pair, count }: { sink: Sink; pair: number; count: number },
): Promise<Subject> {
  const topics = await createTopics(context, stack, `drain${pair}.`);
  const endpoints = endpointsAt(sink.url);
  await writeEndpoints(topics, endpoints);
  const ids = new Set<string>();
  await preload(topics, count, (i) => {
    const value = deliveryOf(eventOf(String(pair), i, endpoints));
    ids.add(value.webhookId);
    return { topic: "deliveries", key: value.endpointId, value };
  });
  await sink.reset();
  const given = { stack, topics };
  // When the sink loses its core for a moment, its endpoints become slow and relief defers some records; the scheduler brings those back.
  const scheduler = await startPinnedService(context, {
    name: "retry-scheduler",
    cores: OTHER_CORE,
    ...given,
  });
  const dispatcher = await startPinnedService(context, {
    name: "dispatcher",
    cores: SUBJECT_CORE,
    ...given,
  });
  const window = await explained(context, dispatcher, () =>
    measureDrain(sink, dispatcher.pid, count),
  );
  await checkLag(topics, "dispatcher", "deliveries");
  await dispatcher.stop();
  await scheduler.stop();
  await checkedReport(sink, ids);
  const deferrals = await checkAttempts(topics, count);
  await topics.remove();
  return { ...window, deferrals };
}

function resultOf(
  baselines: readonly Drained[],
  subjects: readonly Subject[],
  limit: number,
): BenchResult {
  const { ratio, pairs, spread } = compare(
    subjects.map((subject, i) => ({
      subject: subject.perCpuSecond,
      baseline: baselines[i]!.perCpuSecond,
    })),
  );
  const middle = (runs: readonly Drained[], key: keyof Drained): number =>
    rounded(median(withoutFirst(runs).map((run) => run[key])));
  const cpuMicros = (perCpuSecond: number): number =>
    rounded(1e6 / perCpuSecond);
  return {
    bench: "drain",
    figures: {
      deliveriesPerCpuSecond: middle(subjects, "perCpuSecond"),
      cpuMicrosPerDelivery: cpuMicros(middle(subjects, "perCpuSecond")),
      deliveriesPerSecond: middle(subjects, "perSecond"),
      deferrals: Math.max(...subjects.map(({ deferrals }) => deferrals)),
      sinkCpuShare: middle(subjects, "sinkShare"),
      sinkLimitPerSecond: rounded(limit),
    },
    baseline: {
      requestsPerCpuSecond: middle(baselines, "perCpuSecond"),
      cpuMicrosPerRequest: cpuMicros(middle(baselines, "perCpuSecond")),
      requestsPerSecond: middle(baselines, "perSecond"),
      sinkCpuShare: middle(baselines, "sinkShare"),
    },
    ratio: rounded(ratio),
    target: `ratio >= ${TARGET}`,
    pass: ratio >= TARGET,
    pairs,
    spread: [rounded(spread[0]), rounded(spread[1])],
  };
}
