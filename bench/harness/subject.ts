/** Postrider's services as the subject of a run: on the run's own stack, with the run's endpoints and keys. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  mainOf,
  logTail,
  migrate,
  readiness,
  SERVICE_MEMORY_ENV,
  SERVICE_NODE_ARGS,
  serviceEnv,
  startServices,
  type RunningServices,
  type ServiceName,
} from "@postrider/cli";
import type { Stack } from "@postrider/local-stack";
import { createPortPicker } from "@postrider/runtime";
import type { BenchContext } from "./context.ts";
import { fetchMetrics } from "./metrics.ts";
import { ENCRYPTION_KEYS } from "./load.ts";
import { startPinned, type Cores, type Pinned } from "./processes.ts";
import type { Topics } from "./stack.ts";

const ports = createPortPicker();

/** A single service, on its own cores from its first instruction. */
export interface PinnedService extends Pinned {
  readonly adminUrl: string;
  readonly logFile: string;
}

export interface PinnedServiceOptions {
  readonly name: ServiceName;
  readonly cores: Cores;
  readonly stack: Stack;
  readonly topics: Topics;
  readonly env?: Readonly<Record<string, string>>;
}

export async function startPinnedService(
  context: BenchContext,
  { name, cores, stack, topics, env }: PinnedServiceOptions,
): Promise<PinnedService> {
  const port = await ports.pick(0);
  const { profileInto } = context;
  const logFile = join(context.folder, `${topics.prefix}${name}.log`);
  const pinned = startPinned({
    name,
    cores,
    main: mainOf(name),
    nodeArgs: [
      ...SERVICE_NODE_ARGS,
      ...(profileInto === null
        ? []
        : ["--cpu-prof", `--cpu-prof-dir=${profileInto}`]),
    ],
    logFile,
    env: {
      ...SERVICE_MEMORY_ENV,
      ...serviceEnv({ ...environmentOf(stack, topics), ...env }, port, null),
    },
  });
  return { ...pinned, logFile, adminUrl: `http://127.0.0.1:${port}` };
}

const READY_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 50;

/** Resolves when the service is ready; throws with what keeps it from that, or with the end of its log. */
export async function untilReady(service: PinnedService): Promise<void> {
  const until = performance.now() + READY_WITHIN_MS;
  let hasEnded = false;
  void service.ended.then(() => (hasEnded = true));
  for (;;) {
    const seen = await readiness(service.adminUrl);
    if (seen?.isReady === true) return;
    if (hasEnded || performance.now() > until)
      throw new Error(
        `${service.name} is not ready: ${seen?.failing ?? logTail(service.logFile)}`,
      );
    await sleep(LOOK_EVERY_MS);
  }
}

/** If the measurement fails, prints the service's metrics and the end of its log, then throws the same error. */
export async function explained<T>(
  { say }: BenchContext,
  service: { readonly adminUrl: string; readonly logFile: string },
  measure: () => Promise<T>,
): Promise<T> {
  try {
    return await measure();
  } catch (error) {
    const text = await fetchMetrics(service.adminUrl).catch(String);
    const metrics = text
      .split("\n")
      .filter((line) => NON_ZERO_METRIC.test(line));
    say([...metrics, logTail(service.logFile)].join("\n"));
    throw error;
  }
}

/** Lines of our own metrics with a value other than 0, without histograms' buckets. */
const NON_ZERO_METRIC = /^postrider_(?!.*_bucket).* (?!0$)/;

/** Starts these services on both cores; resolves when they are ready. They stop at the end of the run, if not before. */
export async function startSubject(
  context: BenchContext,
  given: {
    readonly stack: Stack;
    readonly topics: Topics;
    readonly services: readonly ServiceName[];
    readonly env?: Readonly<Record<string, string>>;
    /** The program of each service; default: the checkout's. */
    readonly mainOf?: (name: ServiceName) => string;
  },
): Promise<RunningServices> {
  const { stack, topics, services } = given;
  const running = await startServices({
    stack,
    services,
    mainOf: given.mainOf,
    prefix: topics.prefix,
    database: DATABASE,
    adminKey: ADMIN_KEY,
    encryptionKeys: ENCRYPTION_KEYS,
    env: { ...environmentOf(stack, topics), ...given.env },
    logDirectory: join(context.folder, topics.prefix),
  });
  context.undo.push(() => running.stop());
  return running;
}

export const ADMIN_KEY = "bench-admin-key-0123456789";

/** The database that the recorder writes to. */
export const DATABASE = "postrider_bench";

export async function createTables(stack: Stack): Promise<void> {
  await migrate({ url: stack.clickhouse.url, database: DATABASE });
}

/** Variables of a recorder that writes to this database. */
export function recorderEnv(
  { clickhouse }: Stack,
  database: string,
): Record<string, string> {
  return {
    CLICKHOUSE_URL: clickhouse.url,
    POSTRIDER_CLICKHOUSE_DATABASE: database,
  };
}

/** Variables of every service here. The sink is on this machine and speaks http, so both must be allowed. */
export function environmentOf(
  stack: Stack,
  topics: Topics,
): Record<string, string> {
  return {
    KAFKA_BROKERS: stack.kafka.brokers.join(","),
    POSTRIDER_TOPIC_PREFIX: topics.prefix,
    POSTRIDER_ENCRYPTION_KEYS: ENCRYPTION_KEYS,
    POSTRIDER_ALLOW_CIDRS: "127.0.0.0/8",
    POSTRIDER_ALLOW_HTTP: "true",
  };
}
