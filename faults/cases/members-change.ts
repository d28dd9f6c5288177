import { setTimeout as sleep } from "node:timers/promises";
import type { FaultCase } from "../case.ts";
import { signalsMade } from "../checks.ts";
import { SIGNALS } from "../publisher.ts";

const SCALED = ["dispatcher", "retry-scheduler", "recorder"] as const;

export const membersChange: FaultCase = {
  name: "members-change",
  proves:
    "a dispatcher, a scheduler and a recorder that join or leave under load lose nothing, and repeat only what was in flight on partitions that moved",
  async run(world, random) {
    await world.startAll();
    const rounds = world.isShort ? 1 : 4;
    const load = world.publisher.publish({
      perSecond: 300,
      seconds: rounds * 6,
      rare: SIGNALS,
    });
    for (let round = 0; round < rounds; round++) {
      await sleep(random.between(300, 1_000));
      const joined = await world.interrupted(
        async () => await world.services.start(...SCALED),
      );
      await sleep(random.between(500, 1_500));
      // Whether the old or the new member leaves is random.
      const leaving = SCALED.map((name, i) =>
        random.next() < 0.5 ? world.services.one(name) : joined[i]!,
      );
      await world.interrupted(async () => {
        await Promise.all(leaving.map((each) => world.services.stop(each)));
        await sleep(1_000); // time for the new owners to take over the partitions
      });
    }
    await load;
    world.also(signalsMade);
  },
};
