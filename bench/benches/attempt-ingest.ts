/**
 * attempt-ingest: how fast one recorder writes attempts that wait to ClickHouse, and what each costs it, against a bare loop with the same
 * rows; and what recording costs the dispatcher.
 */
import { bareRun, recorderRun, type Ran } from "../harness/attempt-runs.ts";
import { preloadAttempts } from "../harness/attempts-load.ts";
import type { BenchContext, BenchResult, Figures } from "../harness/context.ts";
import { OTHER_CORE, pin } from "../harness/processes.ts";
import {
  recordingDrains,
  type DrainPair,
  type RecordingDrain,
} from "../harness/recording-drains.ts";
import { createTopics, startOwnStack } from "../harness/stack.ts";
import {
  compare,
  median,
  rounded,
  withoutFirst,
} from "../harness/statistics.ts";
import { camelCase } from "../harness/whole.ts";

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
  const drained = drainsOf(drains);
  const rowsPerSecond = middle(subjects, "perSecond");
  return {
    bench: "attempt-ingest",
    figures: {
      rowsPerSecond,
      cpuLimitedRowsPerSecond: rounded(
        median(withoutFirst(subjects).map(limitOf)),
      ),
      cpuMicrosPerRow: middle(subjects, "cpuMicros"),
      recorderCoreShare: middle(subjects, "share"),
      clickhouseCpuMicrosPerRow: middle(subjects, "clickhouseMicros"),
      kafkaCpuMicrosPerRow: middle(subjects, "kafkaMicros"),
      ...drained.with,
      recordingRatio: drained.ratio,
      recordingRatioMin: drained.min,
      recordingRatioMax: drained.max,
      recordingWallRatio: drained.wallRatio,
    },
    baseline: {
      rowsPerSecond: middle(baselines, "perSecond"),
      cpuMicrosPerRow: middle(baselines, "cpuMicros"),
      clickhouseCpuMicrosPerRow: middle(baselines, "clickhouseMicros"),
      kafkaCpuMicrosPerRow: middle(baselines, "kafkaMicros"),
      ...drained.without,
    },
    ratio: rounded(ratio),
    target: `>= ${TARGET.rowsPerSecond} rows/s; CPU of a row <= ${TARGET.cpuRatio} of the bare loop; what two cores can deliver with recording >= ${TARGET.drainRatio} of that without`,
    pass:
      rowsPerSecond >= TARGET.rowsPerSecond &&
      ratio <= TARGET.cpuRatio &&
      drained.ratio >= TARGET.drainRatio,
    pairs,
    spread: [rounded(spread[0]), rounded(spread[1])],
  };
}

/** Rows a second if nothing else needed the two cores: of the recorder's core, or of that which Kafka and ClickHouse share. */
function limitOf({ cpuMicros, clickhouseMicros, kafkaMicros }: Ran): number {
  return 1e6 / Math.max(cpuMicros, clickhouseMicros + kafkaMicros);
}

/**
 * What two cores can deliver if nothing else needs them goes by the CPU that a delivery costs in all; the wall rate of a drain
 * suffers from other work, too.
 */
function drainsOf(drains: readonly DrainPair[]) {
  const { ratio, spread } = compare(
    drains.map((pair) => ({
      subject: pair.without.allMicros,
      baseline: pair.with.allMicros,
    })),
  );
  const wall = compare(
    drains.map((pair) => ({
      subject: pair.with.perSecond,
      baseline: pair.without.perSecond,
    })),
  );
  return {
    ratio: rounded(ratio),
    min: rounded(spread[0]),
    max: rounded(spread[1]),
    wallRatio: rounded(wall.ratio),
    with: figuresOf(drains.map((pair) => pair.with)),
    without: figuresOf(drains.map((pair) => pair.without)),
  };
}

function figuresOf(drains: readonly RecordingDrain[]): Figures {
  const counted = withoutFirst(drains);
  const middle = (value: (drain: RecordingDrain) => number): number =>
    rounded(median(counted.map(value)));
  return {
    deliveriesPerSecond: middle(({ perSecond }) => perSecond),
    allCpuMicrosPerDelivery: middle(({ allMicros }) => allMicros),
    ...Object.fromEntries(
      Object.keys(counted[0]!.cpuMicros).map((name) => [
        `${camelCase(name)}CpuMicrosPerDelivery`,
        middle(({ cpuMicros }) => cpuMicros[name]!),
      ]),
    ),
  };
}
