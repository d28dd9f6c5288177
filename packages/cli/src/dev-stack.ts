import { join } from "node:path";
import { DEFAULT_TIERS, parseTiers } from "@postrider/core";
import { startStack, type Stack } from "@postrider/local-stack";
import { applyTopics, topicPlan } from "@postrider/messaging";
import { migrate } from "./commands/migrate.ts";
import {
  keepKeys,
  newKeys,
  removeDevFiles,
  writeDevFiles,
  type DevFile,
} from "./dev-folder.ts";
import { withAdmin } from "./kafka.ts";
import {
  DEFAULT_PORTS,
  startServices,
  type RunningServices,
} from "./services.ts";

const DEV_PARTITIONS = 4;

export interface DevStack {
  readonly file: DevFile;
  readonly stack: Stack;
  readonly services: RunningServices["services"];
}

/** What `stop` will undo, in reverse order; filled as things start, so that an interrupted start can be undone too. */
export type Undo = (() => Promise<void> | void)[];

/** Starts servers, topics, tables and services, and writes dev.json when all are ready. `folder` is locked by the caller. */
export async function startDevStack(
  folder: string,
  undo: Undo,
  onProgress: (text: string) => void,
): Promise<DevStack> {
  const prefix = process.env["POSTRIDER_TOPIC_PREFIX"] || "postrider.";
  const database = process.env["POSTRIDER_CLICKHOUSE_DATABASE"] || "postrider";
  removeDevFiles(folder); // of a dev that was killed
  onProgress("starting Kafka and ClickHouse");
  const stack = await startStack({
    dataDir: join(folder, "data"),
    registry: false,
    onProgress,
  });
  undo.push(() => stack.stop());
  onProgress("creating topics");
  await withAdmin(stack.kafka.brokers, (admin) =>
    applyTopics(
      admin,
      topicPlan({
        prefix,
        tiers: tiersOfEnvironment(),
        partitions: DEV_PARTITIONS,
      }),
    ),
  );
  onProgress("creating tables");
  await migrate({ url: stack.clickhouse.url, database });
  const keys = keepKeys(folder, newKeys);
  const running = await startServices({
    stack,
    prefix,
    database,
    ...keys,
    ports: DEFAULT_PORTS,
    env: devEnvironment(),
    logDirectory: join(folder, "logs"),
    onProgress,
  });
  undo.push(() => running.stop());
  const file = devFileOf({
    stack,
    prefix,
    database,
    adminKey: keys.adminKey,
    running,
  });
  writeDevFiles(folder, file, running.environment);
  undo.push(() => removeDevFiles(folder));
  return { file, stack, services: running.services };
}

/** A receiver on this machine is what one tries first: loopback and http are allowed here, and only here. What the environment says wins. */
function devEnvironment(): Record<string, string> {
  return {
    POSTRIDER_ALLOW_CIDRS:
      process.env["POSTRIDER_ALLOW_CIDRS"] || "127.0.0.0/8,::1/128",
    POSTRIDER_ALLOW_HTTP: process.env["POSTRIDER_ALLOW_HTTP"] || "true",
    POSTRIDER_TIERS: process.env["POSTRIDER_TIERS"] || DEFAULT_TIERS,
  };
}

function tiersOfEnvironment() {
  return parseTiers(process.env["POSTRIDER_TIERS"] || DEFAULT_TIERS);
}

function devFileOf(given: {
  readonly stack: Stack;
  readonly prefix: string;
  readonly database: string;
  readonly adminKey: string;
  readonly running: RunningServices;
}): DevFile {
  const { stack, running } = given;
  return {
    version: 1,
    kafka: { brokers: stack.kafka.brokers },
    clickhouse: { url: stack.clickhouse.url, database: given.database },
    schemaRegistry:
      stack.schemaRegistry === null ? null : { url: stack.schemaRegistry.url },
    topicPrefix: given.prefix,
    adminKey: given.adminKey,
    ingest: { url: running.ingestUrl },
    control: { url: running.controlUrl },
    services: running.services.map(({ name, pid, adminUrl, logFile }) => ({
      name,
      pid,
      adminUrl,
      logFile,
    })),
  };
}
