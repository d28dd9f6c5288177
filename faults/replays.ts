/** What a case asks of replays, and what is done to the services while one runs. */
import { setTimeout as sleep } from "node:timers/promises";
import type { RunningService } from "@postrider/cli";
import type { EpochMs } from "@postrider/core";
import { waitFor, type Random } from "@postrider/testkit";
import { ask } from "./control-api.ts";
import type { World } from "./world.ts";

/** A replay as control answers it. */
export interface ReplayAnswer {
  readonly id: string;
  readonly state: string;
  readonly detail: string | null;
  readonly total: number;
  readonly sent: number;
  readonly leftOut: Readonly<Record<string, number>>;
  readonly finishedAt: string | null;
}

export interface MadeReplay {
  readonly id: string;
  readonly selectedAt: EpochMs;
}

/** So slow that the faults come while it sends. */
const PER_SECOND = 30;

/** Looks at what would be sent, and then makes a replay of that. Only while control lives: where the answer is lost, a second one is made. */
export async function makeReplay(
  world: World,
  selection: object,
): Promise<MadeReplay> {
  const body = { ...selection, ratePerSecond: PER_SECOND };
  const preview = await ask<{ selectedAt: string }>(
    world,
    "POST",
    "/replays/preview",
    body,
  );
  const { selectedAt } = preview;
  const { id } = await ask<ReplayAnswer>(world, "POST", "/replays", {
    ...body,
    selectedAt,
  });
  return { id, selectedAt: Date.parse(selectedAt) };
}

export async function replayIs(
  world: World,
  { id }: MadeReplay,
  what: string,
  is: (replay: ReplayAnswer) => boolean,
): Promise<ReplayAnswer> {
  let last: ReplayAnswer | null = null;
  return await waitFor(
    async () => {
      last = await ask<ReplayAnswer>(world, "GET", `/replays/${id}`);
      return is(last) ? last : null;
    },
    { timeoutMs: 240_000, everyMs: 100, what: `the replay: ${what}` },
  ).catch((error: unknown) => {
    throw new Error(`the last answer was ${JSON.stringify(last)}`, {
      cause: error,
    });
  });
}

export const isDone = ({ state }: ReplayAnswer): boolean => state === "done";

/** Makes a replay, disturbs it, and waits until it has ended by itself. Throws where it ended before the last fault. */
export async function disturbedReplay(
  world: World,
  random: Random,
  {
    selection,
    rounds,
  }: { readonly selection: object; readonly rounds: number },
): Promise<{ readonly made: MadeReplay; readonly done: ReplayAnswer }> {
  const made = await makeReplay(world, selection);
  await replayIs(world, made, "has sent", ({ sent }) => sent > 0);
  let lastFaultAt = 0;
  for (let round = 0; round < rounds; round++)
    lastFaultAt = await disturb(world, random);
  const done = await replayIs(world, made, "done", isDone);
  if (Date.parse(done.finishedAt ?? "") < lastFaultAt)
    throw new Error("the replay was done before the last fault");
  return { made, done };
}

const VICTIMS = [
  "control",
  "dispatcher",
  "retry-scheduler",
  "recorder",
  "clickhouse",
] as const;

/** Kills each once, in any order; ClickHouse is killed or frozen. The next one dies while the last one is still starting. Returns when the last one died. */
async function disturb(world: World, random: Random): Promise<EpochMs> {
  const started: RunningService[] = [];
  let lastFaultAt = 0;
  for (const victim of shuffled(VICTIMS, random)) {
    await sleep(random.between(300, 1_500));
    lastFaultAt = Date.now();
    if (victim === "clickhouse") await withoutClickHouse(world, random);
    else {
      if (victim === "control") await killInChunk(world);
      else await world.kill9(world.services.one(victim));
      await sleep(random.between(0, 1_000));
      started.push(await world.services.spawn(victim));
    }
  }
  await world.services.ready(...started);
  return lastFaultAt;
}

/** Kills control when a chunk has been sent and cannot be stored: another producer has taken its transactional id, so its next checkpoint is refused. */
async function killInChunk(world: World): Promise<void> {
  const usurper = await world.kafka.fencedProducer(`${world.prefix}control`);
  try {
    await untilBurst(world);
    await world.kill9(world.services.one("control"));
  } finally {
    await usurper.disconnect();
  }
}

/** Returns once the receiver gets many requests at the same time, but not later than after a few seconds: a dispatcher may be starting. */
async function untilBurst({ receiver }: World): Promise<void> {
  const end = performance.now() + BURST_WITHIN_MS;
  while (performance.now() < end) {
    const before = receiver.requests.length;
    await sleep(BURST_MS);
    if (receiver.requests.length - before >= BURST) return;
  }
}

/** A chunk is the replay's rate for half a second; other events come one by one. */
const BURST = 4;
const BURST_MS = 10;
const BURST_WITHIN_MS = 3_000;

async function withoutClickHouse(world: World, random: Random): Promise<void> {
  const { clickhouse } = world;
  const isFrozen = random.next() < 0.5;
  if (isFrozen) clickhouse.freeze();
  else await world.killClickHouse();
  await sleep(random.between(500, 3_000));
  if (isFrozen) clickhouse.thaw();
  else await clickhouse.restart();
}

function shuffled<T>(values: readonly T[], random: Random): T[] {
  const left = [...values];
  return values.flatMap(() =>
    left.splice(random.between(0, left.length - 1), 1),
  );
}
