/**
 * attempt-ingest: how fast one recorder writes attempts that wait to ClickHouse, and what each costs it, against a bare loop with the same
 * rows; and what recording costs the dispatcher.
 */
import { bareRun, recorderRun, type Ran } from "../harness/attempt-runs.ts";
import { preloadAttempts } from "../harness/attempts-load.ts";
import type { BenchContext, BenchResult } from "../harness/context.ts";
import { OTHER_CORE, pin } from "../harness/processes.ts";
import {
  recordingDrains,
  type DrainPair,
  type Place,
} from "../harness/recording-drains.ts";
import { createTopics, startOwnStack } from "../harness/stack.ts";
import {
  compare,
  median,
  rounded,
  withoutFirst,
} from "../harness/statistics.ts";

const TARGET = { rowsPerSecond: 50_000, cpuRatio: 1.5, drainRatio: 0.9 };

export async function attemptIngest(
  context: BenchContext,
): Promise<BenchResult> {
  const { isShort, say } = context;
  const count = isShort ? 100_000 : 1_000_000;
  const pairs = isShort ? 4 : 6;
  const stack = await startOwnStack(context);
  const topics = await createTopics(context, stack, "ingest.");
  await preloadAttempts(topics, count);
  say(`${count} attempts are written`);
  const servers = [stack.kafka.server?.pid(), stack.clickhouse.server?.pid()];
  for (const pid of [...servers, process.pid]) if (pid) pin(pid, OTHER_CORE);
  const runs = { stack, topics, count };
  const baselines: Ran[] = [];
  const subjects: Ran[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const baseline = await bareRun(runs, pair);
    const subject = await recorderRun(context, runs, pair);
    if (subject.hash !== baseline.hash)
      throw new Error("the recorder and the bare loop wrote different rows");
    baselines.push(baseline);
    subjects.push(subject);
    say(`pair ${pair}: ${JSON.stringify({ baseline, subject })}`);
  }
  await topics.remove();
  const drains = await recordingDrains(context, stack, {
    pairs: isShort ? 3 : 4,
    count: isShort ? 30_000 : 60_000,
  });
  return resultOf(baselines, subjects, drains);
}

function resultOf(
  baselines: readonly Ran[],
  subjects: readonly Ran[],
  drains: readonly DrainPair[],
): BenchResult {
  const { ratio, pairs, spread } = compare(
    subjects.map(({ cpuMicros }, i) => ({
      subject: cpuMicros,
      baseline: baselines[i]!.cpuMicros,
    })),
  );
  const middle = (
    runs: readonly Ran[],
    key: Exclude<keyof Ran, "hash">,
  ): number => rounded(median(withoutFirst(runs).map((run) => run[key])));
  const apart = drainsOf(drains, "apart");
  const shared = drainsOf(drains, "shared");
  const rowsPerSecond = middle(subjects, "perSecond");
  return {
    bench: "attempt-ingest",
    figures: {
      rowsPerSecond,
      cpuMicrosPerRow: middle(subjects, "cpuMicros"),
      recorderCoreShare: middle(subjects, "share"),
      clickhouseCpuMicrosPerRow: middle(subjects, "clickhouseMicros"),
      kafkaCpuMicrosPerRow: middle(subjects, "kafkaMicros"),
      dispatcherRatio: apart.ratio,
      dispatcherRatioMin: apart.min,
      dispatcherRatioMax: apart.max,
      dispatcherPerSecond: apart.with,
      sharedCoresRatio: shared.ratio,
      sharedCoresPerSecond: shared.with,
    },
    baseline: {
      rowsPerSecond: middle(baselines, "perSecond"),
      cpuMicrosPerRow: middle(baselines, "cpuMicros"),
      clickhouseCpuMicrosPerRow: middle(baselines, "clickhouseMicros"),
      kafkaCpuMicrosPerRow: middle(baselines, "kafkaMicros"),
      dispatcherPerSecond: apart.without,
      sharedCoresPerSecond: shared.without,
    },
    ratio: rounded(ratio),
    target: `>= ${TARGET.rowsPerSecond} rows/s; CPU of a row <= ${TARGET.cpuRatio} of the bare loop; the dispatcher's rate with recording >= ${TARGET.drainRatio} of that without`,
    pass:
      rowsPerSecond >= TARGET.rowsPerSecond &&
      ratio <= TARGET.cpuRatio &&
      apart.ratio >= TARGET.drainRatio,
    pairs,
    spread: [rounded(spread[0]), rounded(spread[1])],
  };
}

/** The dispatcher's rate with the recorder, and over that without. */
function drainsOf(drains: readonly DrainPair[], place: Place) {
  const counted = withoutFirst(drains).map((pair) => pair[place]);
  const { ratio, spread } = compare(
    drains.map((pair) => ({
      subject: pair[place].with.perSecond,
      baseline: pair[place].without.perSecond,
    })),
  );
  const middle = (side: "with" | "without"): number =>
    rounded(median(counted.map((pair) => pair[side].perSecond)));
  return {
    ratio: rounded(ratio),
    min: rounded(spread[0]),
    max: rounded(spread[1]),
    with: middle("with"),
    without: middle("without"),
  };
}
