/** drain: preloaded deliveries, the dispatcher alone on one core, against a raw signed dispatch loop on that core. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mainOf } from "@postrider/cli";
import type { Stack } from "@postrider/local-stack";
import {
  checkAttempts,
  checkIds,
  checkLag,
  checkSignatures,
} from "../harness/checks.ts";
import {
  BODY_BYTES,
  CONNECTIONS,
  deliveryOf,
  ENCRYPTION_KEYS,
  endpointsAt,
  preload,
  SECRET,
  writeEndpoints,
} from "../harness/load.ts";
import { cpuSecondsOf } from "../harness/proc-stat.ts";
import {
  OTHER_CORE,
  pin,
  programOf,
  startPinned,
  SUBJECT_CORE,
} from "../harness/processes.ts";
import { startSink, type Sink } from "../harness/sink.ts";
import { createTopics, startOwnStack } from "../harness/stack.ts";
import {
  compare,
  median,
  rounded,
  withoutFirst,
} from "../harness/statistics.ts";

const TARGET = 0.55;
/** The sink is not the limit below this share of its core. */
const SINK_SHARE = 0.6;

interface Window {
  readonly perCpuSecond: number;
  readonly perSecond: number;
  readonly sinkShare: number;
}

export async function drain(isShort: boolean, say: (text: string) => void) {
  const count = isShort ? 20_000 : 100_000;
  const runs = isShort ? 3 : 6;
  const stack = await startOwnStack(say);
  const pid = stack.kafka.server?.pid();
  if (pid) pin(pid, OTHER_CORE);
  pin(process.pid, OTHER_CORE);
  await stack.clickhouse.server?.stop();
  const sink = await startSink(OTHER_CORE);
  const baselines: Window[] = [];
  const subjects: Window[] = [];
  try {
    for (let run = 0; run < runs; run++) {
      baselines.push(await baseline(sink, run, count));
      subjects.push(await subject(stack, sink, run, count));
      say(`pair ${run}: ${JSON.stringify([baselines[run], subjects[run]])}`);
    }
  } finally {
    await sink.stop();
    await stack.stop();
  }
  const compared = compare(
    subjects.map((each, i) => ({
      subject: each.perCpuSecond,
      baseline: baselines[i]!.perCpuSecond,
    })),
  );
  const rate = (windows: readonly Window[], key: keyof Window): number =>
    rounded(median(withoutFirst(windows).map((each) => each[key])));
  return {
    bench: "drain",
    figures: {
      deliveriesPerCpuSecond: rate(subjects, "perCpuSecond"),
      deliveriesPerSecond: rate(subjects, "perSecond"),
      sinkCpuShare: rate(subjects, "sinkShare"),
    },
    baseline: {
      requestsPerCpuSecond: rate(baselines, "perCpuSecond"),
      requestsPerSecond: rate(baselines, "perSecond"),
      sinkCpuShare: rate(baselines, "sinkShare"),
    },
    ratio: rounded(compared.ratio),
    target: TARGET,
    pass: compared.ratio >= TARGET,
    pairs: compared.pairs,
    spread: compared.spread.map(rounded),
  };
}

async function baseline(sink: Sink, run: number, count: number) {
  await sink.reset();
  const prefix = `raw_${run}_`;
  const args = [sink.url, SECRET, BODY_BYTES, count, CONNECTIONS, prefix];
  const loop = startPinned({
    name: "raw-signed-dispatch",
    cores: SUBJECT_CORE,
    main: programOf("baselines/raw-signed-dispatch.ts"),
    args: args.map(String),
  });
  const window = await measure(sink, loop.pid, count);
  await loop.stop();
  const ids = Array.from({ length: count }, (_, i) => `${prefix}${i}`);
  const report = await sink.report();
  checkIds(report, new Set(ids));
  checkSignatures(report, SECRET);
  return window;
}

async function subject(stack: Stack, sink: Sink, run: number, count: number) {
  const topics = await createTopics(stack, `drain${run}.`);
  const endpoints = endpointsAt(sink.url);
  await writeEndpoints(topics, endpoints);
  const ids = new Set<string>();
  await preload(topics, count, (i) => {
    const value = deliveryOf(String(run), i, endpoints);
    ids.add(value.webhookId);
    return { topic: "deliveries", key: value.endpointId, value };
  });
  await sink.reset();
  const dispatcher = startPinned({
    name: "dispatcher",
    cores: SUBJECT_CORE,
    main: mainOf("dispatcher"),
    logFile: join(mkdtempSync(join(tmpdir(), "drain-")), "dispatcher.log"),
    env: {
      ...process.env,
      KAFKA_BROKERS: stack.kafka.brokers.join(","),
      POSTRIDER_TOPIC_PREFIX: topics.prefix,
      POSTRIDER_ENCRYPTION_KEYS: ENCRYPTION_KEYS,
      POSTRIDER_ALLOW_CIDRS: "127.0.0.0/8",
      POSTRIDER_ALLOW_HTTP: "true",
      POSTRIDER_ADMIN_PORT: "19401",
    },
  });
  const window = await measure(sink, dispatcher.pid, count);
  await checkLag(topics, "dispatcher", "deliveries");
  await dispatcher.stop();
  const report = await sink.report();
  checkIds(report, ids);
  checkSignatures(report, SECRET);
  await checkAttempts(topics, count);
  await topics.remove();
  return window;
}

/** From a tenth of the ids to nine tenths: after the start, before the tail. */
async function measure(sink: Sink, pid: number, count: number) {
  const at = async (share: number) => {
    const { unique } = await sink.waitForUnique(count * share, 60_000);
    const cpu = cpuSecondsOf(pid);
    return {
      unique,
      cpu,
      sink: cpuSecondsOf(sink.pid),
      now: performance.now(),
    };
  };
  const from = await at(0.1);
  const to = await at(0.9);
  await sink.waitForUnique(count);
  const seconds = (to.now - from.now) / 1000;
  const sinkShare = (to.sink - from.sink) / seconds;
  if (sinkShare >= SINK_SHARE)
    throw new Error(`the sink used ${sinkShare} of its core: it is the limit`);
  return {
    perCpuSecond: (to.unique - from.unique) / (to.cpu - from.cpu),
    perSecond: (to.unique - from.unique) / seconds,
    sinkShare,
  } satisfies Window;
}
