/** The whole product: servers, topics, tables, endpoints at a sink, and services on both cores. */
import type { RunningServices, ServiceName } from "@postrider/cli";
import type { Endpoint } from "@postrider/core";
import type { Stack } from "@postrider/local-stack";
import type { BenchContext } from "./context.ts";
import { endpointsAt, writeEndpoints } from "./load.ts";
import { BOTH_CORES } from "./processes.ts";
import { startSink, type Sink } from "./sink.ts";
import { createTopics, startOwnStack, type Topics } from "./stack.ts";
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

/** Every group, without those of the tiers, and the topic that it reads. Each must be at its topic's end when a run is over. */
export const GROUPS = [
  ["route", "events"],
  ["dispatcher", "deliveries"],
  ["recorder.intake", "intake"],
  ["recorder.attempts", "attempts"],
  ["recorder.dead-letters", "dead-letters"],
] as const;
