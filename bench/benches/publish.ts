/** publish: the door alone on one core, events of 1 KB in requests of 1 and of 100, against a bare route that only produces them. */
import type { Stack } from "@postrider/local-stack";
import { topicName } from "@postrider/messaging";
import { createPortPicker } from "@postrider/runtime";
import type { BenchContext, BenchResult, Figures } from "../harness/context.ts";
import {
  type Answerer,
  checkPosted,
  type Posted,
  postLoad,
  type PostLoad,
} from "../harness/post-load.ts";
import {
  messageOf,
  OTHER_CORE,
  pin,
  programOf,
  startPinned,
  SUBJECT_CORE,
} from "../harness/processes.ts";
import { createTopics, startOwnStack, type Topics } from "../harness/stack.ts";
import {
  compare,
  median,
  rounded,
  withoutFirst,
} from "../harness/statistics.ts";
import {
  ADMIN_KEY,
  explained,
  startPinnedService,
  untilReady,
} from "../harness/subject.ts";

const TARGET = 0.7;
const BATCHES = [1, 100] as const;
type Batch = (typeof BATCHES)[number];
/** Enough for seconds of CPU time. */
const COUNTS: Readonly<Record<Batch, { full: number; short: number }>> = {
  1: { full: 60_000, short: 20_000 },
  100: { full: 300_000, short: 100_000 },
};

/** One side of the comparison: its topics, and all that was sent to it. */
interface Side extends Answerer {
  readonly topics: Topics;
  readonly loads: PostLoad[];
}

interface Pair {
  readonly baseline: Posted;
  readonly subject: Posted;
}

export async function publish(context: BenchContext): Promise<BenchResult> {
  const { isShort, say } = context;
  const stack = await startOwnStack(context);
  const broker = stack.kafka.server?.pid();
  if (broker) pin(broker, OTHER_CORE);
  pin(process.pid, OTHER_CORE);
  await stack.clickhouse.server?.stop();
  const route = await bareRoute(context, stack);
  const { side: door, service } = await theDoor(context, stack);
  const pairs: Record<Batch, Pair[]> = { 1: [], 100: [] };
  for (let nth = 0; nth < (isShort ? 4 : 6); nth++)
    for (const batch of BATCHES) {
      const { full, short } = COUNTS[batch];
      const load = {
        run: `${nth}_${batch}`,
        count: isShort ? short : full,
        batch,
      };
      const baseline = await posted(route, load);
      const subject = await explained(context, service, () =>
        posted(door, load),
      );
      pairs[batch].push({ baseline, subject });
      say(`pair ${nth}, ${batch}: ${JSON.stringify({ baseline, subject })}`);
    }
  for (const { topics, loads } of [route, door])
    await checkPosted(topics, loads);
  return resultOf(pairs);
}

async function posted(side: Side, load: PostLoad): Promise<Posted> {
  side.loads.push(load);
  return await postLoad(side, load);
}

async function bareRoute(context: BenchContext, stack: Stack): Promise<Side> {
  const topics = await createTopics(context, stack, "bare.", { tiers: "1s" });
  const route = startPinned({
    name: "produce-route",
    cores: SUBJECT_CORE,
    // kafkajs without our patches.
    nodeArgs: ["--disable-warning=TimeoutNegativeWarning"],
    main: programOf("baselines/produce-route.ts"),
    args: [stack.kafka.brokers[0]!, topicName(topics.prefix, "events")],
  });
  const { port } = await messageOf<{ port: number }>(route, "ready");
  const url = `http://127.0.0.1:${port}`;
  return { topics, pid: route.pid, url, loads: [] };
}

async function theDoor(context: BenchContext, stack: Stack) {
  const topics = await createTopics(context, stack, "door.", { tiers: "1s" });
  const port = await createPortPicker().pick(0);
  const service = await startPinnedService(context, {
    name: "ingest",
    cores: SUBJECT_CORE,
    stack,
    topics,
    env: {
      POSTRIDER_INGEST_ROLES: "door",
      POSTRIDER_ADMIN_KEY: ADMIN_KEY,
      POSTRIDER_PORT: String(port),
    },
  });
  await untilReady(service);
  const url = `http://127.0.0.1:${port}`;
  const side: Side = { topics, pid: service.pid, url, loads: [] };
  return { side, service };
}

function resultOf(
  pairs: Readonly<Record<Batch, readonly Pair[]>>,
): BenchResult {
  const compared = BATCHES.map((batch) =>
    compare(
      pairs[batch].map(({ baseline, subject }) => ({
        baseline: baseline.perCpuSecond,
        subject: subject.perCpuSecond,
      })),
    ),
  );
  const [worse] = compared.toSorted((a, b) => a.ratio - b.ratio);
  const { ratio, spread, pairs: counted } = worse!;
  return {
    bench: "publish",
    figures: {
      ...figuresOf(pairs, "subject"),
      ...Object.fromEntries(
        BATCHES.map((batch, i) => [
          `batch${batch}Ratio`,
          rounded(compared[i]!.ratio),
        ]),
      ),
    },
    baseline: figuresOf(pairs, "baseline"),
    ratio: rounded(ratio),
    target: `events per CPU second, in requests of 1 and of 100: ratio >= ${TARGET} of a bare route that only produces them`,
    pass: ratio >= TARGET,
    pairs: counted,
    spread: [rounded(spread[0]), rounded(spread[1])],
  };
}

function figuresOf(
  pairs: Readonly<Record<Batch, readonly Pair[]>>,
  side: keyof Pair,
): Figures {
  const figures: Record<string, number> = {};
  for (const batch of BATCHES) {
    const middle = (key: keyof Posted): number =>
      median(withoutFirst(pairs[batch]).map((pair) => pair[side][key]));
    const name = `batch${batch}`;
    figures[`${name}EventsPerCpuSecond`] = rounded(middle("perCpuSecond"));
    figures[`${name}CpuMicrosPerEvent`] = rounded(1e6 / middle("perCpuSecond"));
    figures[`${name}EventsPerSecond`] = rounded(middle("perSecond"));
  }
  return figures;
}
