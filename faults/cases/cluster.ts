/** Three brokers, of which one fails: the partitions that it led and the groups that it coordinated move to the others. */
import { setTimeout as sleep } from "node:timers/promises";
import { coordinatorOf, leadersOf } from "@postrider/local-stack";
import { waitFor, type Random } from "@postrider/testkit";
import type { FaultCase } from "../case.ts";
import type { World } from "../world.ts";

/** A connection per client and broker: the brokers that a service talks to change with their leaders. */
const SPARE_CONNECTIONS = 12;
/** The time that a client which waited for the dead broker needs to find its successor. */
const SETTLED_MS = 3_000;

export const leaderMoved: FaultCase = {
  name: "leader-moved",
  proves:
    "three brokers die and come back one after the other, under load: their partitions move, and nothing is lost, forked or left unread",
  isLong: true,
  brokers: 3,
  run: (world, random) =>
    underLoad(world, world.isShort ? 1 : 4, async () => {
      const leaders = await leadersIn(world, "deliveries", "attempts");
      const id = oneOf(leaders, random);
      await dies(world, random, id, async () => {
        const now = await leadersIn(world, "deliveries", "attempts");
        return !now.has(id);
      });
    }),
};

export const coordinatorMoved: FaultCase = {
  name: "coordinator-moved",
  proves:
    "when the coordinator of the dispatcher's group dies, another one knows what was committed, and nothing that a commit recorded as done is done again",
  isLong: true,
  brokers: 3,
  run: (world, random) =>
    underLoad(world, world.isShort ? 1 : 4, async () => {
      const id = (await coordinatorIn(world))!;
      await dies(world, random, id, async () => {
        const now = await coordinatorIn(world);
        return now !== null && now !== id;
      });
    }),
};

/** Longer than a client waits for an answer (5 s). */
const FROZEN_MS = 7_000;

export const partialProduce: FaultCase = {
  name: "partial-produce",
  proves:
    "a batch of which one broker takes its part and another, frozen or killed in the middle of it, may have taken its own, loses nothing and forks nothing",
  isLong: true,
  brokers: 3,
  async run(world, random) {
    await underLoad(world, world.isShort ? 2 : 4, async (round) => {
      const outputs = ["attempts", "deliveries", ...world.tierTopics];
      const leaders = await leadersIn(world, ...outputs);
      if (leaders.size < 2) throw new Error("one broker leads everything");
      const id = oneOf(leaders, random);
      if (round % 2 === 1)
        return await dies(world, random, id, () => Promise.resolve(true));
      await world.interrupted(async () => {
        world.node(id).freeze();
        await sleep(FROZEN_MS + random.between(0, 2_000));
        world.node(id).thaw();
        await sleep(SETTLED_MS);
      });
    });
  },
};

export const outputSilent: FaultCase = {
  name: "output-silent",
  proves:
    "while the broker that keeps its attempts is silent, a dispatcher cannot record what it did, and commits none of it; a kill then repeats it and loses nothing",
  isLong: true,
  brokers: 3,
  async run(world, random) {
    await world.startAll();
    const load = world.publisher.publish({ perSecond: 200, seconds: 14 });
    await sleep(random.between(1_500, 2_500));
    // The coordinator is not frozen, so commits go on. If one of them covered work that is not done, it would have time to be stored.
    const leaders = await leadersIn(world, "attempts");
    leaders.delete((await coordinatorIn(world)) ?? 0);
    const silent = world.node(oneOf(leaders, random));
    await world.interrupted(async () => {
      silent.freeze();
      await sleep(random.between(2_500, 4_000));
      await world.services.kill9(world.services.one("dispatcher"));
      silent.thaw();
    });
    await world.services.start("dispatcher");
    await load;
  },
};

export const brokerLost: FaultCase = {
  name: "broker-lost",
  proves:
    "when one of three brokers, the coordinator of the dispatcher's group, dies for good, the others take over its groups and partitions, and nothing waits for its return",
  isLong: true,
  brokers: 3,
  async run(world) {
    await world.startAll();
    await world.publisher.publish({ perSecond: 200, seconds: 3 });
    const id = (await coordinatorIn(world))!;
    await world.interrupted(async () => {
      await world.node(id).kill9();
      try {
        await world.publisher.publish({ perSecond: 200, seconds: 10 });
        await world.quiet();
      } finally {
        await world.node(id).restart();
      }
      await sleep(SETTLED_MS);
    });
    await world.publisher.publish({ perSecond: 200, seconds: 3 });
  },
};

/** Compares metrics and checks invariants over `rounds` faults, some seconds apart, while events come in. */
async function underLoad(
  world: World,
  rounds: number,
  fault: (round: number) => Promise<void>,
): Promise<void> {
  await world.startAll();
  await world.publisher.publish({ perSecond: 300, seconds: 2 });
  await world.surviving(async () => {
    const load = world.publisher.publish({
      perSecond: 200,
      seconds: rounds * 9,
    });
    for (let round = 0; round < rounds; round++) {
      await sleep(1_000);
      await fault(round);
    }
    await load;
  }, SPARE_CONNECTIONS);
}

/** Kills a node (kill -9), waits until the others have taken over its roles, and some time more; then starts it again. */
async function dies(
  world: World,
  random: Random,
  id: number,
  hasMoved: () => Promise<boolean>,
): Promise<void> {
  await world.interrupted(async () => {
    await sleep(random.between(0, 500));
    await world.node(id).kill9();
    await waitFor(hasMoved, {
      what: `another broker in the place of ${id}`,
    });
    await sleep(random.between(0, 4_000));
    await world.node(id).restart();
    await sleep(SETTLED_MS);
  });
}

/** The node id of the coordinator of the dispatcher's group. */
async function coordinatorIn(world: World): Promise<number | null> {
  const { brokers } = world.stack.kafka;
  return await coordinatorOf(brokers, `${world.prefix}dispatcher`);
}

function oneOf(ids: ReadonlySet<number>, random: Random): number {
  const all = [...ids];
  return all[random.between(0, all.length - 1)]!;
}

async function leadersIn(
  world: World,
  ...names: readonly string[]
): Promise<Set<number>> {
  const found = new Set<number>();
  for (const name of names)
    for (const leader of await leadersOf(
      world.stack.kafka.brokers,
      world.topic(name),
    ))
      if (leader !== null) found.add(leader);
  return found;
}
