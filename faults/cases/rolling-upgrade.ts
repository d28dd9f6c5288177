import { setTimeout as sleep } from "node:timers/promises";
import {
  SERVICES,
  type RunningService,
  type ServiceName,
} from "@postrider/cli";
import { waitFor, type Evidence } from "@postrider/testkit";
import type { FaultCase } from "../case.ts";
import { createEndpoint } from "../control-api.ts";
import { healthyWaits } from "../healthy-waits.ts";
import { programIn, THIS_VERSION } from "../program.ts";
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
const PER_SECOND = 150;
/** Black holes open their breaker, for longer each time, and would be what everything waits for. */
const RARE = { blackhole: 0 };

/** One process was replaced. */
interface Step {
  readonly name: string;
  readonly from: number;
  /** How long the service had no process at all, ms. That is the time that a start takes, and is in nobody's hands. */
  goneMs: number;
}

export const rollingUpgrade: FaultCase = {
  name: "rolling-upgrade",
  proves:
    "every service, replaced process by process by another version and back, loses and forks nothing, and holds no healthy event up for a session timeout, even while a request hangs",
  isLong: true,
  blackholeTimeoutMs: HANG_MS,
  async run(world) {
    const older = world.options.older ?? THIS_VERSION;
    await world.services.ready(
      ...(await Promise.all(SERVICES.map((name) => spawn(world, older, name)))),
    );
    const steps: Step[] = [];
    let isOver = false;
    const rolled = async (): Promise<void> => {
      await sleep(CALM_MS);
      for (const round of world.isShort ? ROUNDS.slice(0, 1) : ROUNDS) {
        await grow(world, older, round.replicas);
        const up = { from: older, to: THIS_VERSION };
        const down = { from: THIS_VERSION, to: older };
        for (const change of [up, down])
          await roll(world, { ...round, ...change }, steps);
      }
    };
    await Promise.all([
      publishUntil(world, () => isOver),
      rolled().finally(() => (isOver = true)),
    ]);
    world.tells((evidence) => ({
      ...longestWaits(evidence, steps),
      ...Object.fromEntries(
        [...longestGone(steps)].map(([name, ms]) => [`gone ${name}`, ms]),
      ),
    }));
    world.also(function* (evidence) {
      const longest = longestWaits(evidence, steps);
      const gone = longestGone(steps);
      // A machine that is busy with other things makes events wait without any step.
      const calmMs = SESSION_TIMEOUT_MS + (longest["calm"] ?? 0);
      for (const [name, ms] of Object.entries(longest)) {
        const allowedMs = calmMs + (gone.get(name) ?? 0);
        if (ms > allowedMs)
          yield `${name}: a healthy event waited for ${ms} ms, more than ${allowedMs}`;
      }
    });
  },
};

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

/** Replaces every process, one after the other, by one of another version. `from` and `to` are the versions' folders. */
async function roll(
  world: World,
  {
    order,
    replicas,
    from,
    to,
  }: Round & { readonly from: string; readonly to: string },
  steps: Step[],
): Promise<void> {
  for (const name of SERVICES)
    for (const old of world.services.all(name)) {
      const of = REPLICATED.includes(name) ? replicas : 1;
      const step: Step = {
        name: `${order} ${name} of ${of}`,
        from: Date.now(),
        goneMs: 0,
      };
      steps.push(step);
      // A partition that moves takes along what was in flight.
      await world.interrupted(async () => {
        const stop = async (): Promise<void> => {
          // What an older version does when it stops is not this version's to promise.
          if (name === "dispatcher" && from === THIS_VERSION)
            await oneHangs(world);
          await world.services.stop(old);
        };
        if (order === "unavailable") await stop();
        const goneFrom = Date.now();
        await world.services.ready(await spawn(world, to, name));
        if (order === "unavailable" && of === 1)
          step.goneMs = Date.now() - goneFrom;
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

/** By the kind of step: the longest wait (ms) of a healthy event that was published during such a step. `calm`: before the first. */
function longestWaits(
  evidence: Evidence,
  steps: readonly Step[],
): Record<string, number> {
  const longest: Record<string, number> = {};
  for (const { publishedAt, ms } of healthyWaits(evidence)) {
    const step = steps.findLast(({ from }) => from <= publishedAt);
    const name = step?.name ?? "calm";
    longest[name] = Math.max(longest[name] ?? 0, ms);
  }
  return longest;
}

/** By the kind of step, if there was such a time: the longest time (ms) for which the service had no process, `LONGEST_START_MS` at most. */
function longestGone(steps: readonly Step[]): Map<string, number> {
  const longest = new Map<string, number>();
  for (const { name, goneMs } of steps)
    if (goneMs > (longest.get(name) ?? 0))
      longest.set(name, Math.min(goneMs, LONGEST_START_MS));
  return longest;
}
