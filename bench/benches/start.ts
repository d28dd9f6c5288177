/** How fast a service starts and how much memory it has while it idles: from the bundle ÷ from a checkout. */
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  hasApi,
  mainOf,
  readiness,
  SERVICE_MEMORY_ENV,
  SERVICE_NODE_ARGS,
  serviceEnv,
  SERVICES,
  type ServiceName,
} from "@postrider/cli";
import { createPortPicker } from "@postrider/runtime";
import type { Stack } from "@postrider/local-stack";
import { buildBundle } from "../../deploy/bundle/build.ts";
import type { BenchContext, BenchResult } from "../harness/context.ts";
import { BOTH_CORES, startPinned, type Pinned } from "../harness/processes.ts";
import { residentMbOf } from "../harness/proc-stat.ts";
import { createTopics, startOwnStack, type Topics } from "../harness/stack.ts";
import {
  compare,
  median,
  rounded,
  withoutFirst,
} from "../harness/statistics.ts";
import {
  createTables,
  DATABASE,
  environmentOf,
  ADMIN_KEY,
} from "../harness/subject.ts";

const TARGET = { ready: 0.5, memory: 0.8 };
const LOOK_EVERY_MS = 5;
const READY_WITHIN_MS = 60_000;
/** After the last service is ready. */
const IDLE_MS = 5_000;

const ports = createPortPicker();

/** What starts each service: the program of the image, or that of a checkout. */
type Kind = "bundle" | "source";

interface Measured {
  readonly readyMs: number;
  readonly idleMb: number;
}
type Round = ReadonlyMap<ServiceName, Measured>;

export async function start(context: BenchContext): Promise<BenchResult> {
  const { isShort, say } = context;
  const bundle = join(context.folder, "bundle");
  await buildBundle(bundle);
  const stack = await startOwnStack(context);
  await createTables(stack);
  const topics = await createTopics(context, stack, "start.");
  const rounds: Record<Kind, Round[]> = { bundle: [], source: [] };
  for (let round = 0; round <= (isShort ? 3 : 10); round++) {
    // In turn, so that neither is always the first.
    const kinds: Kind[] =
      round % 2 === 0 ? ["source", "bundle"] : ["bundle", "source"];
    for (const kind of kinds) {
      const given = { kind, bundle, stack, topics };
      rounds[kind].push(await measure(context, given));
      say(
        `${kind}: ${JSON.stringify(Object.fromEntries(rounds[kind].at(-1)!))}`,
      );
    }
  }
  return resultOf(rounds);
}

interface Given {
  readonly kind: Kind;
  readonly bundle: string;
  readonly stack: Stack;
  readonly topics: Topics;
}

/** One service after the other, so that none waits for another one's CPU; they idle together. */
async function measure(context: BenchContext, given: Given): Promise<Round> {
  const running = new Map<ServiceName, Pinned>();
  const readyMs = new Map<ServiceName, number>();
  try {
    for (const name of SERVICES) {
      const port = await ports.pick(0);
      const apiPort = hasApi(name) ? await ports.pick(0) : null;
      const startedAt = performance.now();
      const service = startOne(context, given, { name, port, apiPort });
      running.set(name, service);
      await ready(service, port, startedAt);
      readyMs.set(name, performance.now() - startedAt);
    }
    await sleep(IDLE_MS);
    return new Map(
      [...running].map(([name, { pid }]) => [
        name,
        { readyMs: readyMs.get(name)!, idleMb: residentMbOf(pid) },
      ]),
    );
  } finally {
    await Promise.all([...running.values()].map((service) => service.stop()));
  }
}

function startOne(
  context: BenchContext,
  { kind, bundle, stack, topics }: Given,
  service: {
    readonly name: ServiceName;
    readonly port: number;
    readonly apiPort: number | null;
  },
): Pinned {
  const { name, port, apiPort } = service;
  const env = {
    ...environmentOf(stack, topics),
    CLICKHOUSE_URL: stack.clickhouse.url,
    POSTRIDER_CLICKHOUSE_DATABASE: DATABASE,
    POSTRIDER_ADMIN_KEY: ADMIN_KEY,
  };
  return startPinned({
    name,
    cores: BOTH_CORES,
    nodeArgs: SERVICE_NODE_ARGS,
    ...(kind === "source"
      ? { main: mainOf(name) }
      : { main: join(bundle, "postrider.js"), args: ["start", name] }),
    env: { ...SERVICE_MEMORY_ENV, ...serviceEnv(env, port, apiPort) },
    logFile: join(context.folder, `${kind}-${name}.log`),
  });
}

async function ready(
  { name, child }: Pinned,
  port: number,
  startedAt: number,
): Promise<void> {
  const adminUrl = `http://127.0.0.1:${port}`;
  while ((await readiness(adminUrl))?.isReady !== true) {
    if (child.exitCode !== null) throw new Error(`${name} has ended`);
    if (performance.now() - startedAt > READY_WITHIN_MS)
      throw new Error(`${name} is not ready`);
    await sleep(LOOK_EVERY_MS);
  }
}

function resultOf(rounds: Record<Kind, readonly Round[]>): BenchResult {
  const total = (round: Round, key: keyof Measured): number =>
    [...round.values()].reduce((sum, each) => sum + each[key], 0);
  const compared = (key: keyof Measured) =>
    compare(
      rounds.bundle.map((round, i) => ({
        subject: total(round, key),
        baseline: total(rounds.source[i]!, key),
      })),
    );
  const figuresOf = (kind: Kind) =>
    Object.fromEntries(
      SERVICES.flatMap((name) =>
        (["readyMs", "idleMb"] as const).map((key) => [
          `${name}${key === "readyMs" ? "ReadyMs" : "IdleMb"}`,
          rounded(
            median(
              withoutFirst(rounds[kind]).map((round) => round.get(name)![key]),
            ),
          ),
        ]),
      ),
    );
  const ready = compared("readyMs");
  const memory = compared("idleMb");
  return {
    bench: "start",
    figures: { memoryRatio: rounded(memory.ratio), ...figuresOf("bundle") },
    baseline: figuresOf("source"),
    ratio: rounded(ready.ratio),
    target: `from exec to ready <= ${TARGET.ready} of a checkout, memory of an idle service <= ${TARGET.memory}`,
    pass: ready.ratio <= TARGET.ready && memory.ratio <= TARGET.memory,
    pairs: ready.pairs,
    spread: [rounded(ready.spread[0]), rounded(ready.spread[1])],
  };
}
