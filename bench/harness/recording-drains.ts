/**
 * Drains of one dispatcher, in turn without the recorder and with it, everything on the same two cores. The dispatcher runs all the time, and
 * stands still while the deliveries are written. A recorder first works off the attempts of the drains before it, which is not measured.
 */
import type { Stack } from "@postrider/local-stack";
import { checkedAttemptRows } from "./attempts-load.ts";
import { checkAttempts, checkedReport, checkLag } from "./checks.ts";
import type { BenchContext } from "./context.ts";
import { frozen } from "./frozen.ts";
import {
  deliveryOf,
  endpointsAt,
  eventOf,
  preload,
  writeEndpoints,
} from "./load.ts";
import { cpuSecondsByName } from "./proc-stat.ts";
import { BOTH_CORES, pin } from "./processes.ts";
import { checkSinkLimit, sinkLimit } from "./sink-limit.ts";
import { startSink, type Sink } from "./sink.ts";
import { createTopics, type Topics } from "./stack.ts";
import { arrivalsOf } from "./steady-rate.ts";
import {
  createTables,
  DATABASE,
  explained,
  recorderEnv,
  startPinnedService,
  type PinnedService,
} from "./subject.ts";

export interface RecordingDrain {
  readonly perSecond: number;
  /** CPU time for each delivery until all is read and recorded, by process, µs. */
  readonly cpuMicros: Readonly<Record<string, number>>;
  /** Of all processes together, the sink among them. */
  readonly allMicros: number;
}

export interface DrainPair {
  readonly without: RecordingDrain;
  readonly with: RecordingDrain;
}

/** Throws unless all deliveries came once, and each has one attempt, in Kafka and in ClickHouse. */
export async function recordingDrains(
  context: BenchContext,
  stack: Stack,
  { pairs, count }: { readonly pairs: number; readonly count: number },
): Promise<DrainPair[]> {
  await createTables(stack);
  const sink = await startSink(BOTH_CORES);
  const topics = await createTopics(context, stack, "drains.");
  await writeEndpoints(topics, endpointsAt(sink.url));
  const start = (
    name: "retry-scheduler" | "dispatcher" | "recorder",
  ): Promise<PinnedService> =>
    startPinnedService(context, {
      name,
      cores: BOTH_CORES,
      stack,
      topics,
      env: {
        ...recorderEnv(stack, DATABASE),
        // The dispatcher stands still while deliveries are written, and must keep its partitions.
        POSTRIDER_SESSION_TIMEOUT: "30s",
      },
    });
  const servers = new Map([
    ["kafka", stack.kafka.server?.pid() ?? 0],
    ["clickhouse", stack.clickhouse.server?.pid() ?? 0],
  ]);
  for (const pid of [...servers.values(), process.pid]) pin(pid, BOTH_CORES);
  const scheduler = await start("retry-scheduler");
  const dispatcher = await start("dispatcher");
  const pids = new Map([
    ...servers,
    ["dispatcher", dispatcher.pid],
    ["retry-scheduler", scheduler.pid],
    ["sink", sink.pid],
  ]);
  const limit = await sinkLimit(sink, BOTH_CORES);
  const site = { context, topics, sink, dispatcher, limit, count };
  const measured: DrainPair[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const without = await drained(site, `without${pair}`, pids, async () => {});
    const recorder = await start("recorder");
    const recorded = (): Promise<void> =>
      explained(context, recorder, () =>
        checkLag(topics, "recorder.attempts", "attempts", 60_000),
      );
    await recorded();
    const all = new Map([...pids, ["recorder", recorder.pid]]);
    const recording = await drained(site, `with${pair}`, all, recorded);
    await recorder.stop();
    measured.push({ without, with: recording });
    context.say(`drains ${pair}: ${JSON.stringify(measured.at(-1))}`);
  }
  const sent = 2 * pairs * count;
  const deferrals = await checkAttempts(topics, sent);
  await checkedAttemptRows(stack, DATABASE, sent + deferrals);
  return measured;
}

interface DrainSite {
  readonly context: BenchContext;
  readonly topics: Topics;
  readonly sink: Sink;
  readonly dispatcher: PinnedService;
  /** Requests a second that the sink takes. */
  readonly limit: number;
  readonly count: number;
}

async function drained(
  site: DrainSite,
  run: string,
  ...[pids, recorded]: readonly [
    ReadonlyMap<string, number>,
    () => Promise<void>,
  ]
): Promise<RecordingDrain> {
  const { context, topics, sink, dispatcher, limit, count } = site;
  const endpoints = endpointsAt(sink.url);
  const ids = new Set<string>();
  await sink.reset();
  await frozen(dispatcher.pid, () =>
    preload(topics, count, (i) => {
      const value = deliveryOf(eventOf(run, i, endpoints));
      ids.add(value.webhookId);
      return { topic: "deliveries", key: value.endpointId, value };
    }),
  );
  const before = cpuSecondsByName(pids);
  const { perSecond, cpuMicros: during } = await explained(
    context,
    dispatcher,
    () => arrivalsOf(sink, pids, count),
  );
  await checkLag(topics, "dispatcher", "deliveries");
  await recorded();
  const after = cpuSecondsByName(pids);
  const sinkShare = (during.get("sink")! * perSecond) / 1e6;
  checkSinkLimit(limit, { perSecond, sinkShare });
  await checkedReport(sink, ids);
  const micros = [...after].map(
    ([name, cpu]) => [name, ((cpu - before.get(name)!) * 1e6) / count] as const,
  );
  return {
    perSecond,
    cpuMicros: Object.fromEntries(micros),
    allMicros: micros.reduce((sum, [, each]) => sum + each, 0),
  };
}
