/** payloads: what a KB of payload beyond the first costs ingest and the dispatcher, against a bare copy from topic to topic and the raw loop. */
import { setTimeout as sleep } from "node:timers/promises";
import { topicName } from "@postrider/messaging";
import { checkAttempts, checkedReport, checkLag } from "../harness/checks.ts";
import type { BenchContext, BenchResult, Figures } from "../harness/context.ts";
import { bodyOf, eventOf, eventRecord, preload } from "../harness/load.ts";
import { frozen } from "../harness/frozen.ts";
import { cpuSecondsOf } from "../harness/proc-stat.ts";
import {
  BOTH_CORES,
  messageOf,
  programOf,
  startPinned,
  type Pinned,
} from "../harness/processes.ts";
import { signedLoop } from "../harness/raw-loop.ts";
import { createTopics, logEnds, type Topics } from "../harness/stack.ts";
import { median, rounded, withoutFirst } from "../harness/statistics.ts";
import { preloadEvents, startWhole, type Whole } from "../harness/whole.ts";

/** The most that a KB may cost, as a multiple of the baseline's. */
const TARGET = 2;
/** Payloads of so many KB, and how many events of each: enough CPU time to count, and few enough for Kafka's data in memory. */
const LOADS = [
  { kb: 1, count: 1_280 },
  { kb: 16, count: 640 },
  { kb: 64, count: 320 },
  { kb: 256, count: 160 },
] as const;
const LARGEST_KB = 256;

type Load = (typeof LOADS)[number];

/** CPU time for one event, µs. */
interface Micros {
  readonly ingest: number;
  readonly copy: number;
  readonly dispatcher: number;
  readonly loop: number;
}
type Part = keyof Micros;

/** By the payload's KB. */
type Round = ReadonlyMap<number, Micros>;

/** The bare copy, and the topics that it copies between. */
interface Copy {
  readonly process: Pinned;
  readonly topics: Topics;
}

export async function payloads(context: BenchContext): Promise<BenchResult> {
  const { isShort, say } = context;
  const whole = await startWhole(context, {
    prefix: "payloads.",
    services: ["ingest", "dispatcher"],
    // A process that is frozen while events are written must not lose its partitions.
    env: { POSTRIDER_SESSION_TIMEOUT: "30s" },
  });
  const copy = await startCopy(context, whole);
  const rounds: Round[] = [];
  for (let nth = 0; nth < (isShort ? 3 : 7); nth++) {
    const round = new Map<number, Micros>();
    for (const load of LOADS)
      round.set(load.kb, {
        ...(await delivered(whole, nth, load)),
        copy: await copied(copy, whole, nth, load),
        loop: await looped(whole, nth, load),
      });
    rounds.push(round);
    say(`round ${nth}: ${JSON.stringify(Object.fromEntries(round))}`);
  }
  const sent = LOADS.reduce((sum, { count }) => sum + count, 0);
  await checkAttempts(whole.topics, rounds.length * sent);
  return resultOf(withoutFirst(rounds));
}

/** From `events` through both services to the sink. */
async function delivered(
  whole: Whole,
  nth: number,
  { kb, count }: Load,
): Promise<Pick<Micros, "ingest" | "dispatcher">> {
  const { topics, sink } = whole;
  const pids = [whole.pidOf("ingest"), whole.pidOf("dispatcher")] as const;
  const ids = await preloadEvents(whole, {
    run: `${nth}_${kb}`,
    count,
    payload: bodyOf(kb * 1024),
  });
  const before = pids.map(cpuSecondsOf);
  await sink.waitForUnique(count);
  await checkLag(topics, "route", "events");
  await checkLag(topics, "dispatcher", "deliveries");
  const [ingest, dispatcher] = pids.map(
    (pid, i) => ((cpuSecondsOf(pid) - before[i]!) * 1e6) / count,
  );
  await checkedReport(sink, ids);
  return { ingest: ingest!, dispatcher: dispatcher! };
}

async function startCopy(
  context: BenchContext,
  { stack }: Whole,
): Promise<Copy> {
  const topics = await createTopics(context, stack, "copy.", { tiers: "1s" });
  const [from, to] = (["events", "deliveries"] as const).map((name) =>
    topicName(topics.prefix, name),
  );
  const process = startPinned({
    name: "copy-topic",
    cores: BOTH_CORES,
    // kafkajs without our patches.
    nodeArgs: ["--disable-warning=TimeoutNegativeWarning"],
    main: programOf("baselines/copy-topic.ts"),
    args: [stack.kafka.brokers[0]!, from!, to!],
  });
  await messageOf(process, "ready");
  return { process, topics };
}

/** The same records, from topic to topic. */
async function copied(
  { process, topics }: Copy,
  { endpoints }: Whole,
  nth: number,
  { kb, count }: Load,
): Promise<number> {
  const before = await recordsIn(topics);
  await frozen(process.pid, () =>
    preload(topics, count, (i) =>
      eventRecord(eventOf(`${nth}_${kb}`, i, endpoints, bodyOf(kb * 1024))),
    ),
  );
  const cpu = cpuSecondsOf(process.pid);
  const until = performance.now() + 60_000;
  for (let now = before; now < before + count; await sleep(20)) {
    now = await recordsIn(topics);
    if (performance.now() > until)
      throw new Error(`${now - before} of ${count} records were copied`);
  }
  return ((cpuSecondsOf(process.pid) - cpu) * 1e6) / count;
}

async function recordsIn(topics: Topics): Promise<number> {
  const ends = await logEnds(topics, "deliveries");
  return [...ends.values()].reduce((sum, end) => sum + end, 0);
}

async function looped(
  { sink }: Whole,
  nth: number,
  { kb, count }: Load,
): Promise<number> {
  const { perCpuSecond } = await signedLoop(sink, {
    count: 4 * count,
    prefix: `raw_${nth}_${kb}_`,
    cores: BOTH_CORES,
    bodyBytes: kb * 1024,
  });
  return 1e6 / perCpuSecond;
}

function resultOf(rounds: readonly Round[]): BenchResult {
  const ratios = (subject: Part, baseline: Part, kb: number): number[] =>
    rounds.map((one) => perKb(one, subject, kb) / perKb(one, baseline, kb));
  const ingest = ratios("ingest", "copy", LARGEST_KB);
  const dispatcher = ratios("dispatcher", "loop", LARGEST_KB);
  const [worse] = [ingest, dispatcher].sort((a, b) => median(b) - median(a));
  const ratio = median(worse!);
  return {
    bench: "payloads",
    figures: {
      ...figuresOf(rounds, "ingest"),
      ...figuresOf(rounds, "dispatcher"),
      ingestRatio: rounded(median(ingest)),
      dispatcherRatio: rounded(median(dispatcher)),
    },
    baseline: { ...figuresOf(rounds, "copy"), ...figuresOf(rounds, "loop") },
    ratio: rounded(ratio),
    target: `a KB beyond the first: ingest <= ${TARGET} of a copy, dispatcher <= ${TARGET} of the raw loop`,
    pass: ratio <= TARGET,
    pairs: rounds.length,
    spread: [rounded(Math.min(...worse!)), rounded(Math.max(...worse!))],
  };
}

/** What each KB beyond the first costs in a payload of `kb`, µs. */
function perKb(round: Round, part: Part, kb: number): number {
  return (round.get(kb)![part] - round.get(1)![part]) / (kb - 1);
}

function figuresOf(rounds: readonly Round[], part: Part): Figures {
  const middle = (value: (round: Round) => number): number =>
    rounded(median(rounds.map(value)));
  return Object.fromEntries([
    [`${part}MicrosAt1Kb`, middle((round) => round.get(1)![part])],
    ...LOADS.filter(({ kb }) => kb > 1).map(({ kb }) => [
      `${part}MicrosPerKbAt${kb}Kb`,
      middle((round) => perKb(round, part, kb)),
    ]),
  ]) as Figures;
}
