/** latency: the time from the moment at which an event was meant to be sent to the first byte of its request, at several shares of the pipeline's rate. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { topicName } from "@postrider/messaging";
import { pipelineRate } from "../harness/base-rate.ts";
import {
  checkAttempts,
  checkedReport,
  checkLag,
  seenAtOf,
} from "../harness/checks.ts";
import type { BenchContext, BenchResult } from "../harness/context.ts";
import { eventOf, eventRecord } from "../harness/load.ts";
import { intendedMicros } from "../harness/open-loop.ts";
import {
  BOTH_CORES,
  messageOf,
  programOf,
  startPinned,
} from "../harness/processes.ts";
import { median, percentile, rounded } from "../harness/statistics.ts";
import { createTopics, type Topics } from "../harness/stack.ts";
import { GROUPS, startWhole, type Whole } from "../harness/whole.ts";

const SHARES = [0.1, 0.25, 0.5] as const;
/** The share for which a ratio is claimed. */
const CLAIMED = 0.25;
const TARGET = 3;
/** The beginning of each run, which is not counted: connections are opened, code is compiled. */
const WARM_UP_SECONDS = 2;

interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

interface LatencyPair {
  readonly share: number;
  readonly baseline: Latency;
  readonly subject: Latency;
}

export async function latency(context: BenchContext): Promise<BenchResult> {
  const { isShort, say } = context;
  const rounds = isShort ? 3 : 5;
  const shares = isShort ? [CLAIMED] : SHARES;
  const seconds = WARM_UP_SECONDS + 6;
  const rate = pipelineRate(context);
  const whole = await startWhole(context, { prefix: "latency." });
  const pairs: LatencyPair[] = [];
  let sent = 0;
  // The first round only warms the services up and is not counted.
  for (let round = 0; round <= rounds; round++)
    for (const share of shares) {
      const perSecond = Math.max(20, Math.round(rate * share));
      const run = { name: `${round}x${share * 100}`, perSecond, seconds };
      const baseline = await bare(context, whole, run);
      const subject = await delivered(context, whole, run);
      sent += perSecond * seconds;
      const pair = { share, baseline, subject };
      say(`round ${round}, ${perSecond}/s: ${JSON.stringify(pair)}`);
      if (round > 0) pairs.push(pair);
    }
  await checkAttempts(whole.topics, sent);
  return resultOf(pairs, rate);
}

interface Run {
  readonly name: string;
  readonly perSecond: number;
  readonly seconds: number;
}

/** Sends the same records through a topic of their own and back to the producer's process. */
async function bare(
  context: BenchContext,
  whole: Whole,
  run: Run,
): Promise<Latency> {
  const topics = await createTopics(context, whole.stack, `bare${run.name}.`);
  try {
    const file = writeRecords(context, whole, { ...run, name: "bare" });
    const { startedAt, seenAt } = await produce(
      { whole, topics, run, file },
      "consume",
    );
    return latencyOf(startedAt, seenAt, run);
  } finally {
    await topics.remove();
  }
}

async function delivered(
  context: BenchContext,
  whole: Whole,
  run: Run,
): Promise<Latency> {
  const { sink, topics, endpoints } = whole;
  await sink.reset();
  const file = writeRecords(context, whole, run);
  const { startedAt } = await produce({ whole, topics, run, file });
  const count = run.perSecond * run.seconds;
  await sink.waitForUnique(count);
  for (const [group, topic] of GROUPS) await checkLag(topics, group, topic);
  const ids = Array.from(
    { length: count },
    (_, i) => eventOf(run.name, i, endpoints).webhookId,
  );
  const seen = seenAtOf(await checkedReport(sink, new Set(ids)));
  return latencyOf(
    startedAt,
    ids.map((id) => seen.get(id)!),
    run,
  );
}

interface Produced {
  readonly startedAt: number;
  /** For each record, in order: when it was read back, µs. */
  readonly seenAt: readonly number[];
}

async function produce(
  given: {
    readonly whole: Whole;
    readonly topics: Topics;
    readonly run: Run;
    readonly file: string;
  },
  ...mode: readonly "consume"[]
): Promise<Produced> {
  const { whole, topics, run, file } = given;
  const producer = startPinned({
    name: "paced-producer",
    cores: BOTH_CORES,
    nodeArgs: ["--disable-warning=TimeoutNegativeWarning"],
    main: programOf("baselines/paced-producer.ts"),
    args: [
      whole.stack.kafka.brokers[0]!,
      topicName(topics.prefix, "events"),
      file,
      String(run.perSecond),
      String(run.perSecond * run.seconds),
      ...mode,
    ],
  });
  const done = await messageOf<Produced>(producer, "done");
  await producer.ended;
  return done;
}

/** The records are encoded before the run, so that producing costs the same for baseline and subject. */
function writeRecords(
  { folder }: BenchContext,
  { topics, endpoints }: Whole,
  run: Run,
): string {
  const lines: string[] = [];
  for (let i = 0; i < run.perSecond * run.seconds; i++) {
    const record = eventRecord(eventOf(run.name, i, endpoints));
    const value = topics.schemas.encode(record);
    lines.push(`${String(record.key)}\t${value.toString("base64")}`);
  }
  const file = join(folder, `records-${run.name}`);
  writeFileSync(file, lines.join("\n"));
  return file;
}

function latencyOf(
  startedAt: number,
  seenAt: readonly number[],
  { perSecond }: Run,
): Latency {
  const ms = seenAt
    .map((at, i) => (at - intendedMicros(startedAt, perSecond, i)) / 1000)
    .slice(WARM_UP_SECONDS * perSecond);
  if (ms.some((each) => !(each > 0)))
    throw new Error("a record was seen before it was meant to be sent");
  return {
    p50Ms: rounded(percentile(ms, 50)),
    p99Ms: rounded(percentile(ms, 99)),
  };
}

function resultOf(pairs: readonly LatencyPair[], rate: number): BenchResult {
  const at = (side: "baseline" | "subject") =>
    Object.fromEntries(
      SHARES.flatMap((share) => {
        const of = pairs.filter((pair) => pair.share === share);
        if (of.length === 0) return [];
        const middle = (key: keyof Latency): number =>
          rounded(median(of.map((pair) => pair[side][key])));
        const name = `at${share * 100}Percent`;
        return [
          [`${name}P50Ms`, middle("p50Ms")],
          [`${name}P99Ms`, middle("p99Ms")],
        ];
      }),
    );
  const ratios = pairs
    .filter(({ share }) => share === CLAIMED)
    .map(({ baseline, subject }) => subject.p99Ms / baseline.p99Ms);
  const ratio = median(ratios);
  return {
    bench: "latency",
    figures: { fullRatePerSecond: rounded(rate), ...at("subject") },
    baseline: at("baseline"),
    ratio: rounded(ratio),
    target: `p99 at ${CLAIMED * 100} % of the pipeline's rate: ratio <= ${TARGET}`,
    pass: ratio <= TARGET,
    pairs: ratios.length,
    spread: [rounded(Math.min(...ratios)), rounded(Math.max(...ratios))],
  };
}
