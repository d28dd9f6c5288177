import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { engineLibrary, startClickHouse } from "./clickhouse-server.ts";
import { freePorts, isPortFree } from "@postrider/runtime";
import { startJanitor, type Janitor } from "./janitor.ts";
import { kafkaFiles } from "./kafka-files.ts";
import { startKafka, type KafkaFiles } from "./kafka-server.ts";
import {
  REGISTRY_API,
  registryFiles,
  startRegistry,
} from "./registry-server.ts";
import { allOrNone, type ServerHandle } from "./server-process.ts";
import { StackError } from "./stack-error.ts";
import type { SecureListeners, Stack, StackOptions } from "./stack.ts";
import { sweepTemporaryFolders, temporaryFolder } from "./temporary-folder.ts";

interface Ports {
  readonly kafka: number;
  readonly controller: number;
  readonly clickhouse: number;
  readonly registry: number;
  /** The ports of a cluster's further nodes: broker, controller, broker, controller, and so on. */
  readonly further: readonly number[];
  /** Of the listeners with TLS: SASL, mutual TLS. */
  readonly secure: readonly number[];
}

/** How often to try: another process can take a port between its choice and its use. */
const TRIES = 3;

/** Starts Kafka and ClickHouse as processes of this machine. They end with this process, for whatever reason it ends. */
export async function startLocalStack(
  env: NodeJS.ProcessEnv,
  options: StackOptions,
): Promise<Stack> {
  const onProgress = options.onProgress ?? (() => undefined);
  if (options.dataDir !== undefined && options.brokers === 3)
    throw new StackError(
      "CONFIG",
      "A cluster of three brokers keeps no data between runs: leave out the data folder, or start one broker.",
    );
  if (
    options.secure &&
    (options.dataDir !== undefined || options.brokers === 3)
  )
    throw new StackError(
      "CONFIG",
      "Listeners with TLS need a single broker without a data folder.",
    );
  const library = engineLibrary();
  sweepTemporaryFolders();
  const kafka = await kafkaFiles(env, onProgress);
  const registry = options.registry
    ? await registryFiles(env, onProgress)
    : null;
  for (let attempt = 1; ; attempt += 1) {
    const dir = options.dataDir ? resolve(options.dataDir) : temporaryFolder();
    const janitor = startJanitor(options.dataDir ? null : dir);
    let ports: Ports | undefined;
    try {
      ports = await choosePorts(dir, options);
      return await startIn({
        dir,
        ports,
        env,
        janitor,
        kafka,
        registry,
        library,
        secure: options.secure,
        configured: options,
      });
    } catch (error) {
      await janitor.finish();
      const wasRaced = ports !== undefined && (await isAnyTaken(ports));
      if (attempt === TRIES || !wasRaced) throw error;
    }
  }
}

interface Plan {
  readonly dir: string;
  readonly ports: Ports;
  readonly env: NodeJS.ProcessEnv;
  readonly janitor: Janitor;
  readonly kafka: KafkaFiles;
  readonly registry: string | null;
  readonly library: string;
  readonly secure: SecureListeners | undefined;
  readonly configured: Pick<
    StackOptions,
    "clickhouseUsers" | "clickhouseQueryLog"
  >;
}

async function startIn(plan: Plan): Promise<Stack> {
  const { dir, ports, env, janitor, library } = plan;
  mkdirSync(dir, { recursive: true });
  writeFileSync(join(dir, PORTS_FILE), JSON.stringify(ports));
  const { further } = ports;
  const nodes = [ports.kafka, ...further.filter((_, i) => i % 2 === 0)];
  const secure = plan.secure && {
    ...plan.secure,
    dir,
    saslPort: ports.secure[0]!,
    mutualPort: ports.secure[1]!,
  };
  const starting = [
    startKafka({
      files: plan.kafka,
      dir: join(dir, "kafka"),
      ports: nodes,
      controllerPorts: [
        ports.controller,
        ...further.filter((_, i) => i % 2 === 1),
      ],
      janitor,
      env,
      secure,
    }),
    one(
      startClickHouse({
        library,
        dir: join(dir, "clickhouse"),
        port: ports.clickhouse,
        configured: plan.configured,
        janitor,
        env,
      }),
    ),
    ...(plan.registry === null
      ? []
      : [
          one(
            startRegistry({
              files: plan.registry,
              dir: join(dir, "registry"),
              port: ports.registry,
              janitor,
              env,
            }),
          ),
        ]),
  ];
  const groups = await allOrNone(starting);
  const [servers = [], [clickhouse] = [], [registry] = []] = groups;
  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    await Promise.all(groups.flat().map((server) => server.stop()));
    await janitor.finish();
  };
  return {
    provider: "local",
    kafka: {
      brokers: nodes.map((port) => `127.0.0.1:${port}`),
      server: servers[0] ?? null,
      servers,
      ...(secure && {
        secure: {
          sasl: `127.0.0.1:${secure.saslPort}`,
          mutualTls: `127.0.0.1:${secure.mutualPort}`,
        },
      }),
    },
    clickhouse: {
      url: `http://127.0.0.1:${ports.clickhouse}`,
      server: clickhouse ?? null,
    },
    schemaRegistry: registry
      ? {
          url: `http://127.0.0.1:${ports.registry}${REGISTRY_API}`,
          server: registry,
        }
      : null,
    stop: () => (stopped ??= stop()),
  };
}

async function one(starting: Promise<ServerHandle>): Promise<ServerHandle[]> {
  return [await starting];
}

const PORTS_FILE = "ports.json";

/** The ports that were asked for, which must be free; otherwise those that the kept data had, if they are free; otherwise any free ports. */
async function choosePorts(dir: string, options: StackOptions): Promise<Ports> {
  const asked = options.ports ?? {};
  for (const [name, port] of Object.entries(asked)) {
    if (port !== undefined && !(await isPortFree(port))) {
      throw new StackError(
        "PORT_TAKEN",
        `Port ${port}, asked for ${name}, is taken by another process: end that process or choose another port.`,
      );
    }
  }
  const file = join(dir, PORTS_FILE);
  const nodes = options.brokers ?? 1;
  const [kafka = 0, controller = 0, clickhouse = 0, registry = 0, ...others] =
    await freePorts(4 + 2 * (nodes - 1) + (options.secure ? 2 : 0));
  const further = others.splice(0, 2 * (nodes - 1));
  const secure = others;
  const more = { further, secure };
  const free: Ports = { kafka, controller, clickhouse, registry, ...more };
  const before = existsSync(file)
    ? { ...(JSON.parse(readFileSync(file, "utf8")) as Ports), ...more }
    : free;
  return { ...((await isAnyTaken(before)) ? free : before), ...asked };
}

async function isAnyTaken(ports: Ports): Promise<boolean> {
  const free = await Promise.all(Object.values(ports).flat().map(isPortFree));
  return free.includes(false);
}
