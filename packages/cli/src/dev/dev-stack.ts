import { join } from "node:path";
import type { Stack } from "@postrider/local-stack";
import {
  keepKeys,
  newKeys,
  removeDevFiles,
  writeDevFiles,
  type DevFile,
} from "../dev-folder.ts";
import { DEFAULT_PORTS, type RunningServices } from "../processes/services.ts";
import { startConsoleBuild } from "./console-build.ts";
import {
  startWholeStack,
  type Undo,
  type WholeStackOptions,
} from "./whole-stack.ts";

/** Kafka's usual port, which examples everywhere use. */
const KAFKA_PORT = 9092;

export interface DevStack {
  readonly file: DevFile;
  readonly stack: Stack;
  readonly services: RunningServices["services"];
}

/** Starts the whole stack and writes dev.json once all of it is ready. The caller must hold the lock of `folder`. */
export async function startDevStack(
  folder: string,
  undo: Undo,
  told: Pick<WholeStackOptions, "onProgress" | "onTaken" | "onLateStop"> & {
    /** Called with a sentence where the console could not be built; all else works. */
    readonly onNoConsole: (why: string) => void;
  },
): Promise<DevStack> {
  const prefix = process.env["POSTRIDER_TOPIC_PREFIX"] || "postrider.";
  const database = process.env["POSTRIDER_CLICKHOUSE_DATABASE"] || "postrider";
  removeDevFiles(folder); // left by a dev that was killed
  const keys = keepKeys(folder, newKeys);
  // Meanwhile, so nobody waits for it: the servers take longer.
  const console = startConsoleBuild();
  undo.push(console.stop);
  const { stack, running } = await startWholeStack({
    prefix,
    database,
    ...keys,
    ports: DEFAULT_PORTS,
    kafkaPort: KAFKA_PORT,
    dataDir: join(folder, "data"),
    logDirectory: join(folder, "logs"),
    undo,
    ...told,
  });
  const lack = await console.lack;
  if (lack !== null) told.onNoConsole(lack);
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
