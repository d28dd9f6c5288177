/** pipeline: preloaded events through route, deliver and record to rows, everything on two cores, in CPU per delivery. */
import { checkAttempts, checkedReport, checkLag } from "../harness/checks.ts";
import { checkRows } from "../harness/checked-rows.ts";
import type { BenchContext, BenchResult } from "../harness/context.ts";
import type { Drained } from "../harness/measure-drain.ts";
import { cpuSecondsByName } from "../harness/proc-stat.ts";
import { BOTH_CORES } from "../harness/processes.ts";
import { rawSignedLoop } from "../harness/raw-loop.ts";
import { checkSinkLimit, sinkLimit } from "../harness/sink-limit.ts";
import {
  compare,
  median,
  rounded,
  withoutFirst,
} from "../harness/statistics.ts";
import {
  camelCase,
  GROUPS,
  pidsOf,
  preloadEvents,
  startWhole,
  type Whole,
} from "../harness/whole.ts";

/** CPU time of all our processes per delivery, µs. */
const TARGET_MICROS = 110;

interface Piped {
  /** CPU time per delivery (µs) by process. `kafka`, `clickhouse` and `sink` are not ours. */
  readonly micros: Readonly<Record<string, number>>;
  readonly ourMicros: number;
  /** Deliveries per second until the last row is there and no group lags. */
  readonly perSecond: number;
  /** Deliveries per second until the last request. */
  readonly deliveredPerSecond: number;
  readonly sinkShare: number;
}

export async function pipeline(context: BenchContext): Promise<BenchResult> {
  const { isShort, say } = context;
  const count = isShort ? 30_000 : 60_000;
  const pairs = isShort ? 4 : 6;
  // ingest is frozen while the events are written. Its session must not time out in that time, so that it keeps its partitions.
  const env = { POSTRIDER_SESSION_TIMEOUT: "30s" };
  const whole = await startWhole(context, { prefix: "pipeline.", env });
  const limit = await sinkLimit(whole.sink, BOTH_CORES);
  say(`the sink takes ${Math.round(limit)}/s from a bare loop`);
  const baselines: Drained[] = [];
  const subjects: Piped[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const baseline = await rawSignedLoop(whole.sink, {
      // With fewer requests, the time in which the loop's code is compiled would count too much.
      count: Math.max(count, 60_000),
      prefix: `raw_${pair}_`,
      limit,
      cores: BOTH_CORES,
    });
    const subject = await piped(whole, pair, count);
    checkSinkLimit(limit, baseline);
    checkSinkLimit(limit, subject);
    baselines.push(baseline);
    subjects.push(subject);
    say(`pair ${pair}: ${JSON.stringify({ baseline, subject })}`);
  }
  await checkAttempts(whole.topics, pairs * count);
  return resultOf(baselines, subjects, limit);
}

async function piped(
  whole: Whole,
  pair: number,
  count: number,
): Promise<Piped> {
  const { topics, sink } = whole;
  const pids = pidsOf(whole);
  const ids = await preloadEvents(whole, { run: String(pair), count });
  const before = cpuSecondsByName(pids);
  const startedAt = performance.now();
  await sink.waitForUnique(count, 30_000);
  const deliveredAt = performance.now();
  for (const [group, topic] of GROUPS) await checkLag(topics, group, topic);
  const endedAt = performance.now();
  const after = cpuSecondsByName(pids);

  await checkedReport(sink, ids);
  await checkRows(whole, String(pair), count);
  const micros = Object.fromEntries(
    [...after].map(([name, cpu]) => [
      name,
      ((cpu - before.get(name)!) * 1e6) / count,
    ]),
  );
  return {
    micros,
    ourMicros: whole.running.services.reduce(
      (sum, { name }) => sum + micros[name]!,
      0,
    ),
    perSecond: (count * 1000) / (endedAt - startedAt),
    deliveredPerSecond: (count * 1000) / (deliveredAt - startedAt),
    sinkShare: (micros["sink"]! * count) / 1e3 / (deliveredAt - startedAt),
  };
}

function resultOf(
  baselines: readonly Drained[],
  subjects: readonly Piped[],
  limit: number,
): BenchResult {
  const { ratio, pairs, spread } = compare(
    subjects.map(({ ourMicros }, i) => ({
      subject: ourMicros,
      baseline: 1e6 / baselines[i]!.perCpuSecond,
    })),
  );
  const counted = withoutFirst(subjects);
  const middle = (value: (run: Piped) => number): number =>
    rounded(median(counted.map(value)));
  const ourMicros = middle((run) => run.ourMicros);
  const parts = Object.keys(counted[0]!.micros).map((name) => [
    `${camelCase(name)}CpuMicrosPerDelivery`,
    middle(({ micros }) => micros[name]!),
  ]);
  return {
    bench: "pipeline",
    figures: {
      deliveriesPerSecond: middle((run) => run.perSecond),
      deliveredPerSecond: middle((run) => run.deliveredPerSecond),
      cpuMicrosPerDelivery: ourMicros,
      ...Object.fromEntries(parts),
      sinkLimitPerSecond: rounded(limit),
    },
    baseline: {
      cpuMicrosPerRequest: rounded(
        median(withoutFirst(baselines).map((run) => 1e6 / run.perCpuSecond)),
      ),
      requestsPerSecond: rounded(
        median(withoutFirst(baselines).map((run) => run.perSecond)),
      ),
    },
    ratio: rounded(ratio),
    target: `cpuMicrosPerDelivery <= ${TARGET_MICROS}`,
    pass: ourMicros <= TARGET_MICROS,
    pairs,
    spread: [rounded(spread[0]), rounded(spread[1])],
  };
}
