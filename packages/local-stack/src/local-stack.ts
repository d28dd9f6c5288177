import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { startClickHouse } from "./clickhouse-server.ts";
import { freePort } from "./free-port.ts";
import { startJanitor, type Janitor } from "./janitor.ts";
import { kafkaFiles } from "./kafka-files.ts";
import { startKafka } from "./kafka-server.ts";
import type { ServerHandle } from "./server-process.ts";
import type { Stack, StackOptions } from "./stack.ts";
import { sweepTemporaryFolders, temporaryFolder } from "./temporary-folder.ts";

/** Kafka and ClickHouse as processes of this machine, which end with this process whatever ends it. */
export async function startLocalStack(
  env: NodeJS.ProcessEnv,
  options: StackOptions,
): Promise<Stack> {
  sweepTemporaryFolders();
  const onProgress = options.onProgress ?? (() => undefined);
  const files = await kafkaFiles(env, onProgress);
  const dir =
    options.dataDir === undefined
      ? temporaryFolder()
      : resolve(options.dataDir);
  const janitor = startJanitor(options.dataDir === undefined ? dir : null);
  const kafkaPort = options.ports?.kafka ?? (await freePort());
  const clickhousePort = options.ports?.clickhouse ?? (await freePort());
  mkdirSync(join(dir, "kafka"), { recursive: true });
  const started = await Promise.allSettled([
    startKafka({
      files,
      dir: join(dir, "kafka"),
      port: kafkaPort,
      controllerPort: await freePort(),
      janitor,
      env,
    }),
    startClickHouse({
      dir: join(dir, "clickhouse"),
      port: clickhousePort,
      janitor,
      env,
    }),
  ]);
  const failed = started.find((result) => result.status === "rejected");
  const servers = started.flatMap((result) =>
    result.status === "fulfilled" ? [result.value] : [],
  );
  if (failed !== undefined) {
    await stopAll(servers, janitor);
    throw failed.reason;
  }
  const [kafka = null, clickhouse = null] = servers;
  let stopped: Promise<void> | undefined;
  return {
    provider: "local",
    kafka: { brokers: [`127.0.0.1:${kafkaPort}`], server: kafka },
    clickhouse: {
      url: `http://127.0.0.1:${clickhousePort}`,
      server: clickhouse,
    },
    schemaRegistry: null,
    stop: () => (stopped ??= stopAll(servers, janitor)),
  };
}

async function stopAll(
  servers: readonly ServerHandle[],
  janitor: Janitor,
): Promise<void> {
  await Promise.all(servers.map((server) => server.stop()));
  await janitor.finish();
}
