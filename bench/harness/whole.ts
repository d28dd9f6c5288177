/** The whole product: servers, topics, tables, endpoints at a sink, and services on both cores. */
import { join } from "node:path";
import type { RunningServices, ServiceName } from "@postrider/cli";
import type { Endpoint } from "@postrider/core";
import type { Stack } from "@postrider/local-stack";
import { groupsOf } from "@postrider/messaging";
import { buildBundle } from "../../deploy/bundle/build.ts";
import type { BenchContext, Figures } from "./context.ts";
import { frozen } from "./frozen.ts";
import {
  endpointsAt,
  eventOf,
  eventRecord,
  preload,
  writeEndpoints,
} from "./load.ts";
import { BOTH_CORES } from "./processes.ts";
import { startSink, type Sink } from "./sink.ts";
import { createTopics, startOwnStack, type Topics } from "./stack.ts";
import { rounded } from "./statistics.ts";
import { createTables, startSubject } from "./subject.ts";

export interface Whole {
  readonly stack: Stack;
  readonly topics: Topics;
  readonly sink: Sink;
  readonly endpoints: readonly Endpoint[];
  readonly running: RunningServices;
  pidOf(name: ServiceName): number;
}

export interface WholeOptions {
  readonly prefix: string;
  /** Default: all five. */
  readonly services?: readonly ServiceName[];
  readonly env?: Readonly<Record<string, string>>;
  /** Runs the services from the bundle, as the image does. Default: from the checkout. */
  readonly isBundled?: boolean;
  /** Fields that replace those of every endpoint. */
  readonly endpoint?: Partial<Endpoint>;
  readonly sinkArgs?: readonly string[];
  /** Default: eight at the sink. They are written before the services start. */
  readonly endpointsOf?: (sink: Sink) => readonly Endpoint[];
}

const ALL: readonly ServiceName[] = [
  "ingest",
  "dispatcher",
  "retry-scheduler",
  "recorder",
  "control",
];

export async function startWhole(
  context: BenchContext,
  options: WholeOptions,
): Promise<Whole> {
  const { prefix, services = ALL, env, endpoint, sinkArgs } = options;
  const { endpointsOf = (at: Sink) => endpointsAt(at.url, endpoint) } = options;
  const stack = await startOwnStack(context);
  await createTables(stack);
  const topics = await createTopics(context, stack, prefix);
  const sink = await startSink(BOTH_CORES, sinkArgs);
  const endpoints = endpointsOf(sink);
  await writeEndpoints(topics, endpoints);
  const running = await startSubject(context, {
    stack,
    topics,
    services,
    ...(env === undefined ? {} : { env }),
    ...(options.isBundled === true && { mainOf: await bundled(context) }),
  });
  return {
    stack,
    topics,
    sink,
    endpoints,
    running,
    pidOf: (name) =>
      running.services.find((service) => service.name === name)?.pid ?? 0,
  };
}

/** The programs of the services in a bundle that is built for this run. */
async function bundled({
  folder,
}: BenchContext): Promise<(name: ServiceName) => string> {
  const bundle = join(folder, "bundle");
  await buildBundle(bundle);
  return (name) => join(bundle, `${name}.js`);
}

/** Writes `count` events of a run while ingest stands still. Returns their webhook-ids; the sink has forgotten those before. */
export async function preloadEvents(
  whole: Whole,
  {
    run,
    count,
    payload,
  }: {
    readonly run: string;
    readonly count: number;
    readonly payload?: Buffer;
  },
): Promise<ReadonlySet<string>> {
  const { topics, sink, endpoints } = whole;
  const ids = new Set<string>();
  await sink.reset();
  await frozen(whole.pidOf("ingest"), () =>
    preload(topics, count, (i) => {
      const event = eventOf(run, i, endpoints, payload);
      ids.add(event.webhookId);
      return eventRecord(event);
    }),
  );
  return ids;
}

/** By name: the services and, not ours, `kafka`, `clickhouse` and `sink`. */
export function pidsOf({ running, stack, sink }: Whole): Map<string, number> {
  const pids = new Map<string, number>(
    running.services.map(({ name, pid }) => [name, pid]),
  );
  pids.set("kafka", stack.kafka.server?.pid() ?? 0);
  pids.set("clickhouse", stack.clickhouse.server?.pid() ?? 0);
  return pids.set("sink", sink.pid);
}

/** A process's name as it begins the names of its figures. */
export function camelCase(name: string): string {
  return name.replaceAll(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

/** Figures whose names begin with a prefix: `p50Ms` of `apart` is `apartP50Ms`. */
export function named(prefix: string, figures: Figures): Figures {
  return Object.fromEntries(
    Object.entries(figures).map(([name, value]) => [
      `${prefix}${name[0]!.toUpperCase()}${name.slice(1)}`,
      rounded(value),
    ]),
  );
}

/** Every group, without those of the tiers and of control, and a topic that it reads. Each must be at its topic's end when a run is over. */
export const GROUPS: readonly (readonly [group: string, topic: string])[] =
  groupsOf([])
    .filter(({ service }) => service !== "control")
    .flatMap(({ name, topics }) =>
      topics.map((topic) => [name, topic] as const),
    );
