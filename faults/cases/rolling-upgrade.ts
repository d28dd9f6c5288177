import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  SERVICES,
  type RunningService,
  type ServiceName,
} from "@postrider/cli";
import { waitFor, type Evidence } from "@postrider/testkit";
import type { FaultCase } from "../case.ts";
import { createEndpoint } from "../control-api.ts";
import { CpuWaits } from "../cpu-waits.ts";
import { healthyWaits } from "../healthy-waits.ts";
import { bundleInto, programIn, THIS_VERSION } from "../program.ts";
import { SESSION_TIMEOUT_MS, type World } from "../world.ts";

/** `surge`: the new process is ready before the old one is told to stop. `unavailable`: the old one has ended before the new one starts. */
type Order = "surge" | "unavailable";

interface Round {
  readonly order: Order;
  /** Processes of ingest and of the dispatcher; of the others there is one. */
  readonly replicas: 1 | 2;
}

const ROUNDS: readonly Round[] = [
  { order: "surge", replicas: 1 },
  { order: "unavailable", replicas: 1 },
  { order: "surge", replicas: 2 },
  { order: "unavailable", replicas: 2 },
];
const REPLICATED: readonly ServiceName[] = ["ingest", "dispatcher"];
/** How long nothing changes after each step, so that what it held up is through before the next one. */
const CALM_MS = 2_000;
/** Longer than the session timeout: a dispatcher that did nothing else until a request's end would be noticed. */
const HANG_MS = SESSION_TIMEOUT_MS + 2_000;
/** A start takes a second or two on a quiet machine. One that waits for a session to time out takes longer, and is not excused. */
const LONGEST_START_MS = 8_000;
/** How long a step may hold up what is healthy, ms. */
const LONGEST_PAUSE_MS = 3_000;
const PER_SECOND = 150;
/** Black holes open their breaker, for longer each time, and would be what everything waits for. */
const RARE = { blackhole: 0 };

/** One process was replaced. */
interface Step {
  readonly name: string;
  readonly from: number;
  /** When the service had no process at all, epoch ms. That is the time that a start takes, and is in nobody's hands. */
  gone: { readonly from: number; readonly until: number } | null;
}

export const rollingUpgrade: FaultCase = {
  name: "rolling-upgrade",
  proves:
    "every service, replaced process by process by another version's bundle and back, loses and forks nothing, and holds no healthy event up for a session timeout, nor by itself for 3 s, even while a request hangs",
  isLong: true,
  blackholeTimeoutMs: HANG_MS,
  async run(world) {
    const older = world.options.older ?? THIS_VERSION;
    const newer = join(world.options.folder, "bundle");
    await bundleInto(newer);
    await world.services.ready(
      ...(await Promise.all(SERVICES.map((name) => spawn(world, older, name)))),
    );
    const steps: Step[] = [];
    const cpu = new CpuWaits(() => [
      { pid: process.pid, threads: "main" },
      { pid: world.broker.pid(), threads: "all" },
      ...world.services
        .all()
        .map(({ pid }) => ({ pid, threads: "main" }) as const),
    ]);
    let isOver = false;
    const rolled = async (): Promise<void> => {
      await sleep(CALM_MS);
      for (const round of world.isShort ? ROUNDS.slice(0, 1) : ROUNDS) {
        await grow(world, older, round.replicas);
        const up = { from: older, to: newer };
        const down = { from: newer, to: older };
        for (const change of [up, down])
          await roll(world, { ...round, ...change, newer }, steps);
      }
    };
    await Promise.all([
      publishUntil(world, () => isOver),
      rolled().finally(() => (isOver = true)),
    ]);
    // Until what was published last is through.
    await world.quiet();
    cpu.stop();
    world.tells((evidence) => ({
      starvedPercent: cpu.waitedPercent(),
      ...factsOf(longestWaits(evidence, steps, cpu)),
    }));
    world.also((evidence) => judge(longestWaits(evidence, steps, cpu)));
  },
};

/** The longest waits (ms) of healthy events that were published during one kind of step. */
interface Longest {
  /** From the event's acknowledgement to its request. */
  waitMs: number;
  /** The same without the time in which a process of the case got no core. */
  pauseMs: number;
  /** How long the service had no process, `LONGEST_START_MS` at most; and the same without that time. */
  goneMs: number;
  ownGoneMs: number;
}

/** Before the first step. */
const CALM = "calm";

/**
 * What each kind of step may cost. All bounds are beyond what an event waits where nothing is changed (`calm`), and beyond the time in
 * which the service had no process at all.
 *
 * - A pause: `LONGEST_PAUSE_MS`. What is the step's doing is told from what is the machine's: of each wait, the time is left out in
 *   which a process of the case was ready and got no core, because the event may have waited for just that. On a machine that never
 *   has a core for them this leaves nothing to judge: then the fact `starvedPercent` is near 100.
 * - So the wait itself has a bound, too, which no starved machine excuses: a session timeout, after which a partition would be
 *   taken from a process that has not given it up.
 */
function* judge(longest: ReadonlyMap<string, Longest>): Generator<string> {
  const calm = longest.get(CALM);
  for (const [name, { waitMs, pauseMs, goneMs, ownGoneMs }] of longest) {
    const mayWaitMs = SESSION_TIMEOUT_MS + (calm?.waitMs ?? 0) + goneMs;
    if (waitMs > mayWaitMs)
      yield `${name}: a healthy event waited for ${waitMs} ms, more than ${mayWaitMs}`;
    const mayPauseMs = LONGEST_PAUSE_MS + (calm?.pauseMs ?? 0) + ownGoneMs;
    if (pauseMs > mayPauseMs)
      yield `${name}: healthy traffic paused for ${pauseMs} ms, more than ${mayPauseMs}`;
  }
}

function factsOf(
  longest: ReadonlyMap<string, Longest>,
): Record<string, number> {
  return Object.fromEntries(
    [...longest].flatMap(([name, { waitMs, pauseMs, goneMs }]) => [
      [`wait ${name}`, waitMs],
      [`pause ${name}`, pauseMs],
      ...(goneMs > 0 ? [[`gone ${name}`, goneMs]] : []),
    ]),
  ) as Record<string, number>;
}

async function publishUntil(
  world: World,
  isOver: () => boolean,
): Promise<void> {
  while (!isOver())
    await world.publisher.publish({
      perSecond: PER_SECOND,
      seconds: 2,
      rare: RARE,
    });
}

async function spawn(
  world: World,
  folder: string,
  name: ServiceName,
): Promise<RunningService> {
  return await world.services.spawn(name, {}, programIn(folder, name));
}

/** Adds processes, so that the replicated services have so many each. */
async function grow(
  world: World,
  folder: string,
  replicas: number,
): Promise<void> {
  for (const name of REPLICATED)
    while (world.services.all(name).length < replicas)
      await world.interrupted(async () => {
        await world.services.ready(await spawn(world, folder, name));
        await sleep(CALM_MS);
      });
}

/** Replaces every process, one after the other, by one of another version. `from` and `to` are the versions' folders, one of which is `newer`. */
async function roll(
  world: World,
  {
    order,
    replicas,
    from,
    to,
    newer,
  }: Round & {
    readonly from: string;
    readonly to: string;
    readonly newer: string;
  },
  steps: Step[],
): Promise<void> {
  for (const name of SERVICES)
    for (const old of world.services.all(name)) {
      const of = REPLICATED.includes(name) ? replicas : 1;
      const step: Step = {
        name: `${order} ${name} of ${of}`,
        from: Date.now(),
        gone: null,
      };
      steps.push(step);
      // A partition that moves takes along what was in flight.
      await world.interrupted(async () => {
        const stop = async (): Promise<void> => {
          // What an older version does when it stops is not this version's to promise.
          if (name === "dispatcher" && from === newer) await oneHangs(world);
          await world.services.stop(old);
        };
        if (order === "unavailable") await stop();
        const goneFrom = Date.now();
        await world.services.ready(await spawn(world, to, name));
        if (order === "unavailable" && of === 1)
          step.gone = { from: goneFrom, until: Date.now() };
        if (order === "surge") await stop();
        await sleep(CALM_MS);
      });
      if (name === "control") await createEndpoint(world);
    }
}

/** Waits until a request hangs. When it has timed out, its retry is answered, so that the next one is sent at once, too. */
async function oneHangs(world: World): Promise<void> {
  const hanging = () =>
    world.receiver.requests.filter(({ path }) => path === "/blackhole").length;
  const before = hanging();
  world.mood.blackhole = "hang";
  await world.publisher.publish({
    perSecond: 1,
    seconds: 1,
    only: "blackhole",
  });
  await waitFor(() => hanging() > before, {
    timeoutMs: 120_000,
    what: "a request to hang",
  });
  world.mood.blackhole = 200;
}

/** By the kind of step, `CALM` first. */
function longestWaits(
  evidence: Evidence,
  steps: readonly Step[],
  cpu: CpuWaits,
): Map<string, Longest> {
  const longest = new Map<string, Longest>();
  for (const name of [CALM, ...steps.map(({ name }) => name)])
    longest.set(name, { waitMs: 0, pauseMs: 0, goneMs: 0, ownGoneMs: 0 });
  const own = (from: number, until: number): number =>
    Math.round(until - from - cpu.waitedMs(from, until));
  for (const { name, gone } of steps) {
    if (gone === null) continue;
    const { from, until } = gone;
    const of = longest.get(name)!;
    of.goneMs = Math.max(of.goneMs, Math.min(until - from, LONGEST_START_MS));
    of.ownGoneMs = Math.max(
      of.ownGoneMs,
      Math.min(own(from, until), LONGEST_START_MS),
    );
  }
  for (const { publishedAt, ms } of healthyWaits(evidence)) {
    const step = steps.findLast(({ from }) => from <= publishedAt);
    const of = longest.get(step?.name ?? CALM)!;
    of.waitMs = Math.max(of.waitMs, ms);
    if (ms > of.pauseMs)
      of.pauseMs = Math.max(of.pauseMs, own(publishedAt, publishedAt + ms));
  }
  return longest;
}
