/** The run's own Kafka and ClickHouse, which nobody else uses, with the product's own adapters. */
import { DEFAULT_TIERS, parseTiers } from "@postrider/core";
import {
  startStack,
  type Stack,
  type StackOptions,
} from "@postrider/local-stack";
import {
  applyTopics,
  createDeadLetterOf,
  createKafka,
  createOutput,
  createSchemas,
  topicName,
  topicPlan,
  type Admin,
  type Kafka,
  type Output,
  type Schemas,
} from "@postrider/messaging";
import {
  createLog,
  createMeter,
  systemClock,
  type Lifecycle,
} from "@postrider/runtime";
import type { BenchContext } from "./context.ts";

/** Partitions of each topic. Few, so that a prefix is cheap; one dispatcher owns all of them anyway. */
const PARTITIONS = 4;

/** The topics under one prefix, and how to write and read them. */
export interface Topics {
  readonly prefix: string;
  readonly kafka: Kafka;
  readonly schemas: Schemas;
  readonly output: Output;
  readonly admin: Admin;
  /** Closes the clients and deletes the topics. Calling it twice is safe; the end of the run calls it, too. */
  remove(): Promise<void>;
}

export async function startOwnStack(
  { say, undo }: BenchContext,
  options: Pick<StackOptions, "clickhouseUsers" | "clickhouseQueryLog"> = {},
): Promise<Stack> {
  const { KAFKA_BROKERS: _b, CLICKHOUSE_URL: _c, ...env } = process.env;
  // Always processes of this machine, because their CPU time can be read.
  const stack = await startStack({
    provider: "local",
    env,
    onProgress: say,
    ...options,
  });
  undo.push(() => stack.stop());
  return stack;
}

export interface TopicsOptions {
  /** As in POSTRIDER_TIERS. */
  readonly tiers?: string;
  readonly partitions?: number;
}

/** Makes all topics under a prefix of their own, so that a run never sees what another left. */
export async function createTopics(
  { undo }: Pick<BenchContext, "undo">,
  stack: Stack,
  prefix: string,
  { tiers = DEFAULT_TIERS, partitions = PARTITIONS }: TopicsOptions = {},
): Promise<Topics> {
  const effects = {
    log: createLog({ service: "bench", level: "silent" }),
    meter: createMeter({ service: "bench" }),
    clock: systemClock,
  };
  const kafka = createKafka(
    { brokers: stack.kafka.brokers, clientId: "postrider-bench" },
    effects,
  );
  const admin = kafka.admin();
  await admin.connect();
  const plan = topicPlan({
    prefix,
    tiers: parseTiers(tiers),
    partitions,
  });
  await applyTopics(admin, plan);
  const schemas = createSchemas({ kafka, prefix, ...effects });
  const output = createOutput({
    ...effects,
    kafka,
    prefix,
    encode: (record) => schemas.encode(record),
    deadLetterOf: createDeadLetterOf({ stage: "bench", clock: systemClock }),
  });
  const parts: readonly Lifecycle[] = [schemas, output];
  for (const part of parts) await part.start();
  const remove = async (): Promise<void> => {
    const deadline = Date.now() + 5_000;
    for (const part of parts.toReversed()) await part.stop(deadline);
    await admin.deleteTopics(plan.map(({ topic }) => topic));
    await admin.disconnect();
  };
  let removed: Promise<void> | undefined;
  const once = (): Promise<void> => (removed ??= remove());
  undo.push(once);
  return { prefix, kafka, schemas, output, admin, remove: once };
}

/** The offset after the last record, for each partition of one of our topics. */
export async function logEnds(
  { admin, prefix }: Topics,
  name: string,
): Promise<Map<number, number>> {
  const ranges = await admin.fetchLogRanges([topicName(prefix, name)]);
  return new Map(ranges.map(({ partition, end }) => [partition, end]));
}
