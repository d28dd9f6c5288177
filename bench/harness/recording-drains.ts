/**
 * Drains of one dispatcher, with the recorder and without it. Twice: once the dispatcher has a core of its own and everything else the
 * other, once all share both cores. The dispatcher runs all the time and stands still while the deliveries are written; the recorder works off
 * the attempts of the drain before it first, and nothing is measured until then.
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
import { measureDrain, type Drained } from "./measure-drain.ts";
import {
  BOTH_CORES,
  OTHER_CORE,
  pin,
  SUBJECT_CORE,
  type Cores,
} from "./processes.ts";
import { checkSinkLimit, sinkLimit } from "./sink-limit.ts";
import { startSink, type Sink } from "./sink.ts";
import { createTopics, type Topics } from "./stack.ts";
import {
  createTables,
  DATABASE,
  explained,
  recorderEnv,
  startPinnedService,
  type PinnedService,
} from "./subject.ts";

export const PLACES = ["apart", "shared"] as const;
export type Place = (typeof PLACES)[number];

/** A drain without and one with the recorder, in each place. */
export type DrainPair = Readonly<
  Record<Place, { readonly without: Drained; readonly with: Drained }>
>;

/** Throws unless all deliveries came once, and each has one attempt, in Kafka and in ClickHouse. */
export async function recordingDrains(
  context: BenchContext,
  stack: Stack,
  { pairs, count }: { readonly pairs: number; readonly count: number },
): Promise<DrainPair[]> {
  await createTables(stack);
  const sink = await startSink(OTHER_CORE);
  const topics = await createTopics(context, stack, "drains.");
  await writeEndpoints(topics, endpointsAt(sink.url));
  const start = (name: "retry-scheduler" | "dispatcher", cores: Cores) =>
    startPinnedService(context, {
      name,
      cores,
      stack,
      topics,
      // It stands still while the deliveries are written, and must keep its partitions.
      env: { POSTRIDER_SESSION_TIMEOUT: "30s" },
    });
  const scheduler = await start("retry-scheduler", OTHER_CORE);
  const dispatcher = await start("dispatcher", SUBJECT_CORE);
  const limit = await sinkLimit(sink, SUBJECT_CORE);
  const site = { context, stack, topics, sink, dispatcher, limit, count };
  const pidsOf = (): number[] => [
    scheduler.pid,
    sink.pid,
    stack.kafka.server?.pid() ?? 0,
    stack.clickhouse.server?.pid() ?? 0,
  ];
  let drains = 0;
  const inPlaces = async (...others: number[]) => {
    const measured: Partial<Record<Place, Drained>> = {};
    for (const place of PLACES) {
      pin(dispatcher.pid, place === "apart" ? SUBJECT_CORE : BOTH_CORES);
      for (const pid of [...pidsOf(), ...others])
        pin(pid, place === "apart" ? OTHER_CORE : BOTH_CORES);
      measured[place] = await drained(site, drains++);
    }
    return measured as Record<Place, Drained>; // every place has one
  };
  const measured: DrainPair[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const without = await inPlaces();
    const recorder = await startPinnedService(context, {
      name: "recorder",
      cores: BOTH_CORES,
      stack,
      topics,
      env: recorderEnv(stack, DATABASE),
    });
    const isRecorded = () =>
      explained(context, recorder, () =>
        checkLag(topics, "recorder.attempts", "attempts", 60_000),
      );
    await isRecorded();
    const recording = await inPlaces(recorder.pid);
    await isRecorded();
    await recorder.stop();
    const [apart, shared] = PLACES.map((place) => ({
      without: without[place],
      with: recording[place],
    }));
    measured.push({ apart: apart!, shared: shared! });
    context.say(`pair ${pair}: ${JSON.stringify(measured.at(-1))}`);
  }
  const deferrals = await checkAttempts(topics, drains * count);
  await checkedAttemptRows(stack, DATABASE, drains * count + deferrals);
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

async function drained(site: DrainSite, nth: number): Promise<Drained> {
  const { context, topics, sink, dispatcher, limit, count } = site;
  const endpoints = endpointsAt(sink.url);
  const ids = new Set<string>();
  await sink.reset();
  await frozen(dispatcher.pid, () =>
    preload(topics, count, (i) => {
      const value = deliveryOf(eventOf(`drain${nth}`, i, endpoints));
      ids.add(value.webhookId);
      return { topic: "deliveries", key: value.endpointId, value };
    }),
  );
  const window = await explained(context, dispatcher, () =>
    measureDrain(sink, dispatcher.pid, count),
  );
  checkSinkLimit(limit, window);
  await checkLag(topics, "dispatcher", "deliveries");
  await checkedReport(sink, ids);
  return window;
}
