import { DEFAULT_TIERS, parseTiers } from "@postrider/core";
import { startStack, type Stack } from "@postrider/local-stack";
import { applyTopics, topicPlan } from "@postrider/messaging";
import { migrate } from "../processes/migrate.ts";
import { withAdmin } from "../kafka.ts";
import { isPortFree } from "../processes/free-port.ts";
import {
  startServices,
  type RunningServices,
  type ServicePorts,
} from "../processes/services.ts";
import { DEV_PARTITIONS, growing } from "../topics/topic-plan.ts";

/** What stopping will undo, in reverse order; filled as things start, so that an interrupted start can be undone too. */
export type Undo = (() => Promise<void> | void)[];

export interface WholeStackOptions {
  readonly prefix: string;
  readonly database: string;
  readonly adminKey: string;
  readonly encryptionKeys: string;
  readonly ports: ServicePorts;
  readonly logDirectory: string;
  /** Where Kafka and ClickHouse keep their data; default: a temporary folder that goes with them. */
  readonly dataDir?: string;
  /** Told when a wanted port is another's. */
  readonly onTaken?: (wanted: number, picked: number) => void;
  /** The port that Kafka takes where it is free and Kafka is ours. */
  readonly kafkaPort?: number;
  readonly undo: Undo;
  readonly onProgress: (text: string) => void;
}

export interface WholeStack {
  readonly stack: Stack;
  readonly running: RunningServices;
}

/** Starts servers, topics, tables and the five services, in that order. Resolves when all are ready. */
export async function startWholeStack(
  options: WholeStackOptions,
): Promise<WholeStack> {
  const { prefix, database, undo, onProgress } = options;
  const { kafkaPort = 0 } = options;
  const isKafkaPortFree = kafkaPort !== 0 && (await isPortFree(kafkaPort));
  onProgress(
    isExternal()
      ? "looking for your Kafka and ClickHouse"
      : "starting Kafka and ClickHouse",
  );
  const stack = await startStack({
    dataDir: options.dataDir,
    registry: false,
    onProgress,
    ...(isKafkaPortFree && { ports: { kafka: kafkaPort } }),
  });
  undo.push(() => stack.stop());
  if (kafkaPort !== 0 && !isKafkaPortFree && stack.provider === "local")
    options.onTaken?.(kafkaPort, portOf(stack.kafka.brokers));
  const env = ownMachineEnvironment();
  onProgress("creating topics");
  const wanted = topicPlan({
    prefix,
    tiers: parseTiers(env["POSTRIDER_TIERS"]),
    partitions: DEV_PARTITIONS,
  });
  await withAdmin(stack.kafka.brokers, async (admin) => {
    const { topics } = await growing(admin, wanted, {});
    await applyTopics(admin, topics);
  });
  onProgress("creating tables");
  await migrate({ url: stack.clickhouse.url, database });
  const running = await startServices({
    stack,
    prefix,
    database,
    adminKey: options.adminKey,
    encryptionKeys: options.encryptionKeys,
    ports: options.ports,
    env,
    logDirectory: options.logDirectory,
    onTaken: options.onTaken,
    onProgress,
  });
  undo.push(() => running.stop());
  return { stack, running };
}

/** As local-stack decides: asked for, or both addresses given. */
function isExternal(): boolean {
  const { env } = process;
  return env["POSTRIDER_STACK"]
    ? env["POSTRIDER_STACK"] === "external"
    : Boolean(env["KAFKA_BROKERS"] && env["CLICKHOUSE_URL"]);
}

function portOf(brokers: readonly string[]): number {
  return Number(brokers[0]?.split(":").at(-1));
}

/** A receiver on this machine is what one tries first: loopback and http are allowed here, and only here. What the environment says wins. */
function ownMachineEnvironment() {
  const { env } = process;
  return {
    POSTRIDER_ALLOW_CIDRS:
      env["POSTRIDER_ALLOW_CIDRS"] || "127.0.0.0/8,::1/128",
    POSTRIDER_ALLOW_HTTP: env["POSTRIDER_ALLOW_HTTP"] || "true",
    POSTRIDER_TIERS: env["POSTRIDER_TIERS"] || DEFAULT_TIERS,
    // A service that is killed and started again is back after this, not after half a minute.
    POSTRIDER_SESSION_TIMEOUT: env["POSTRIDER_SESSION_TIMEOUT"] || "10s",
  } as const;
}
