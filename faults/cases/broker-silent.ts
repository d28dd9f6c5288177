import { setTimeout as sleep } from "node:timers/promises";
import type { RunningService } from "@postrider/cli";
import type { Random } from "@postrider/testkit";
import type { FaultCase } from "../case.ts";
import { createEndpoint } from "../control-api.ts";
import { createDoorPublisher, type DoorPublisher } from "../door-publisher.ts";
import { SESSION_TIMEOUT_MS, type World } from "../world.ts";

const BROKERS = [1, 2, 3];
/** From the moment at which the broker falls silent until everything that it led and coordinated must have moved on. */
const MOVES_ON_WITHIN_MS = SESSION_TIMEOUT_MS + 30_000;
const SILENT_MS = 60_000;
const LONG_SILENT_MS = 180_000;
/** The time that a client needs to find out that the broker answers again. */
const SETTLED_MS = 3_000;
/** Black holes open their breaker, for longer each time, and would be what everything waits for. */
const RARE = { blackhole: 0 };
/** Enough that each partition of `events` gets one. */
const AT_THE_DOOR = 10;
/** A connection per client and broker: the brokers that a service talks to change with their leaders. */
const SPARE_CONNECTIONS = 12;

export const brokerSilent: FaultCase = {
  name: "broker-silent",
  proves:
    "while one of three brokers answers nothing for minutes and ends no connection, all that it led and coordinated moves on within the session timeout and 30 s, for every service",
  isLong: true,
  brokers: 3,
  async run(world, random) {
    await world.startAll();
    await world.services.start("control");
    const { url } = world.services.one("ingest");
    const door = createDoorPublisher(world, random, () => [url!]);
    try {
      await door.burst(AT_THE_DOOR);
      await world.publisher.publish({ perSecond: 200, seconds: 2, rare: RARE });
      await world.surviving(async () => {
        const order = shuffled(BROKERS, random);
        const falls = (id: number, silentMs: number) =>
          fallsSilent(world, door, { id, silentMs });
        if (world.isShort) return await falls(order[0]!, SILENT_MS);
        await falls(order[0]!, LONG_SILENT_MS);
        for (const id of order.slice(1)) await falls(id, SILENT_MS);
      }, SPARE_CONNECTIONS);
    } finally {
      door.close();
    }
    world.tells(() => ({ ...door.answers }));
  },
};

async function fallsSilent(
  world: World,
  door: DoorPublisher,
  { id, silentMs }: { readonly id: number; readonly silentMs: number },
): Promise<void> {
  const since = performance.now();
  const newcomer = await world.interrupted(async () => {
    world.node(id).freeze();
    return await movesOn(world, door, since + MOVES_ON_WITHIN_MS);
  });
  // From here on nothing fails any more, so nothing may be repeated.
  const leftMs = Math.max(1_000, since + silentMs - performance.now());
  await world.publisher.publish({
    perSecond: 50,
    seconds: leftMs / 1000,
    rare: RARE,
  });
  await world.quiet();
  await world.interrupted(async () => {
    world.node(id).thaw();
    await sleep(SETTLED_MS);
    await world.services.stop(newcomer);
  });
  await world.publisher.publish({ perSecond: 50, seconds: 2, rare: RARE });
  await world.quiet();
}

/** Waits until every service has done new work, and a dispatcher that starts now is ready; returns that. Throws at the deadline. */
async function movesOn(
  world: World,
  door: DoorPublisher,
  deadline: number,
): Promise<RunningService> {
  let next = "control creates an endpoint";
  const newcomer = await world.services.spawn("dispatcher");
  const work = async (): Promise<"done"> => {
    const load = world.publisher.publish({
      perSecond: 100,
      seconds: 3,
      rare: RARE,
    });
    const throughDoor = door.burst(AT_THE_DOOR);
    await createEndpoint(world);
    next = "the door takes events";
    await throughDoor;
    next = "all events are published";
    await load;
    next = "a new dispatcher is ready";
    await world.services.ready(newcomer);
    next = "all events are routed, delivered, retried and recorded";
    await world.quiet();
    return "done";
  };
  const leftMs = deadline - performance.now();
  const end = await Promise.race([
    work(),
    sleep(leftMs, "late", { ref: false }),
  ]);
  if (end === "done") return newcomer;
  const lagging = await world.lagging().catch(String);
  throw new Error(
    `not within ${MOVES_ON_WITHIN_MS} ms: ${next}. Lagging: ${String(lagging)}`,
  );
}

function shuffled(ids: readonly number[], random: Random): number[] {
  const rest = [...ids];
  return ids.map(() => rest.splice(random.between(0, rest.length - 1), 1)[0]!);
}
