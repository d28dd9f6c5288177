import { DEFAULT_TIERS, parseTiers } from "@postrider/core";
import { startStack, type Stack } from "@postrider/local-stack";
import { applyTopics, topicPlan } from "@postrider/messaging";
import { commonConfig, isPortFree } from "@postrider/runtime";
import { withAdmin } from "../kafka.ts";
import { withoutOwned } from "../owned-settings.ts";
import { migrate } from "../processes/migrate.ts";
import {
  startServices,
  type RunningServices,
  type ServicePorts,
} from "../processes/services.ts";
import { DEV_PARTITIONS, growing } from "../topics/topic-plan.ts";
import { newTenantUser } from "./tenant-user.ts";

/** The steps that stop the stack, in the order of starting; they run in reverse. Filled while things start, so that an interrupted start can be undone, too. */
export type Undo = (() => Promise<void> | void)[];

export interface WholeStackOptions {
  readonly prefix: string;
  readonly database: string;
  readonly adminKey: string;
  readonly encryptionKeys: string;
  readonly ports: ServicePorts;
  readonly logDirectory: string;
  /** Where Kafka and ClickHouse keep their data. Default: a temporary folder that is removed with the stack. */
  readonly dataDir?: string;
  /** Called when a wanted port is in use and another one was picked. */
  readonly onTaken?: (wanted: number, picked: number) => void;
  /** The port of a Kafka that we start, if the port is free. */
  readonly kafkaPort?: number;
  readonly undo: Undo;
  readonly onProgress: (text: string) => void;
  /** Called once with a sentence, if the services take longer than 2 s to stop. */
  readonly onLateStop: (text: string) => void;
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
  const tenants = newTenantUser(database);
  const stack = await startStack({
    clickhouseUsers: tenants.users,
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
  await migrate(
    { url: stack.clickhouse.url, database },
    stack.provider === "external"
      ? process.env
      : { ...process.env, ...WITHOUT_SECURITY },
  );
  const running = await startServices({
    stack,
    prefix,
    database,
    adminKey: options.adminKey,
    encryptionKeys: options.encryptionKeys,
    ports: options.ports,
    env: {
      ...(stack.provider !== "external" && WITHOUT_SECURITY),
      ...env,
      ...(stack.provider === "local" && tenants.env),
    },
    logDirectory: options.logDirectory,
    onTaken: options.onTaken,
    onProgress,
    onLateStop: options.onLateStop,
  });
  undo.push(() => running.stop());
  return { stack, running };
}

/** Whether the stack is external, by local-stack's rule: it was asked for, or both addresses are given. */
function isExternal(): boolean {
  const { env } = process;
  return env["POSTRIDER_STACK"]
    ? env["POSTRIDER_STACK"] === "external"
    : Boolean(env["KAFKA_BROKERS"] && env["CLICKHOUSE_URL"]);
}

function portOf(brokers: readonly string[]): number {
  return Number(brokers[0]?.split(":").at(-1));
}

/** Allows loopback addresses and http, because people first try a receiver on their own machine. Only `dev` and `demo` do so. Variables of the environment win. */
function ownMachineEnvironment() {
  const { env } = process;
  return {
    POSTRIDER_ALLOW_CIDRS:
      env["POSTRIDER_ALLOW_CIDRS"] || "127.0.0.0/8,::1/128",
    POSTRIDER_DENY_CIDRS: env["POSTRIDER_DENY_CIDRS"] || "",
    POSTRIDER_ALLOW_HTTP: env["POSTRIDER_ALLOW_HTTP"] || "true",
    POSTRIDER_TIERS: env["POSTRIDER_TIERS"] || DEFAULT_TIERS,
    // A service that `postrider start` adds must have the same as the others.
    POSTRIDER_SESSION_TIMEOUT:
      env["POSTRIDER_SESSION_TIMEOUT"] || commonConfig.sessionTimeoutMs.default,
    // People look at once for what they have just sent.
    POSTRIDER_RECORD_LINGER: env["POSTRIDER_RECORD_LINGER"] || "200ms",
  } as const;
}

/** TLS and users of the environment are not for servers that we have started. */
const WITHOUT_SECURITY = {
  ...withoutOwned("KAFKA_BROKERS"),
  ...withoutOwned("CLICKHOUSE_URL"),
};
