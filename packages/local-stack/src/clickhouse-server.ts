import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { configArguments } from "./clickhouse-config.ts";
import type { Janitor } from "./janitor.ts";
import { startServer, type ServerHandle } from "./server-process.ts";
import { StackError } from "./stack-error.ts";
import type { StackOptions } from "./stack.ts";

export interface ClickHouseOptions {
  /** The path of the engine's library: see `engineLibrary`. */
  readonly library: string;
  readonly dir: string;
  readonly port: number;
  readonly configured?: Pick<
    StackOptions,
    "clickhouseUsers" | "clickhouseQueryLog"
  >;
  readonly janitor: Janitor;
  readonly env: NodeJS.ProcessEnv;
}

/** Starts one ClickHouse with its HTTP interface. Resolves when it answers queries and its data path shows that it is ours. */
export async function startClickHouse(
  options: ClickHouseOptions,
): Promise<ServerHandle> {
  const { dir, port } = options;
  const dataPath = join(dir, "data");
  mkdirSync(dir, { recursive: true });
  const url = `http://127.0.0.1:${port}`;
  return await startServer({
    name: "ClickHouse",
    command: process.execPath,
    args: [
      "--disable-warning=ExperimentalWarning",
      fileURLToPath(new URL("./clickhouse-child.ts", import.meta.url)),
      options.library,
      url,
      "clickhouse",
      "--multiquery",
      `--path=${dataPath}`,
      `--http_port=${port}`,
      "--listen_host=127.0.0.1",
      ...configArguments(dir, options.configured ?? {}),
      "--query=SYSTEM START LISTEN HTTP; SELECT sleepEachRow(1) FROM numbers(1000000000) SETTINGS max_block_size=1, function_sleep_max_microseconds_per_block=0 FORMAT Null",
    ],
    // A test runner's own flags (a loader, an inspector port) must not reach the child.
    env: { ...options.env, NODE_OPTIONS: "" },
    logFile: join(dir, "clickhouse.log"),
    hasIpc: true,
    isReady: async () => (await dataPathAt(url)).startsWith(dataPath),
    readyTimeoutMs: 60_000,
    graceMs: 8000,
    janitor: options.janitor,
  });
}

/** The data path of the server on this port. Any server may answer /ping there, but only ours has our data path. */
async function dataPathAt(url: string): Promise<string> {
  const response = await fetch(url, {
    method: "POST",
    headers: { connection: "close" },
    body: "SELECT path FROM system.disks WHERE name = 'default' FORMAT TSVRaw",
    signal: AbortSignal.timeout(1000),
  });
  const body = await response.text();
  return response.ok ? body : "";
}

/** The path of the engine's shared library. Throws a sentence for people when there is none for this platform. */
export function engineLibrary(): string {
  const name = `@chdb/lib-${process.platform}-${process.arch}${process.platform === "linux" ? "-gnu" : ""}`;
  try {
    return createRequire(import.meta.url).resolve(`${name}/libchdb.so`);
  } catch (cause) {
    throw new StackError(
      "ENGINE_MISSING",
      `The ClickHouse engine package ${name} is not installed: run npm ci on a platform that has it (Linux with glibc on x64), or use your own servers with POSTRIDER_STACK=external, KAFKA_BROKERS and CLICKHOUSE_URL.`,
      { cause },
    );
  }
}
