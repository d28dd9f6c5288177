import { setTimeout as sleep } from "node:timers/promises";
import type { FaultCase } from "../case.ts";
import { committedBy, overwriteCommits } from "../overwrite-commits.ts";

/** More deliveries than the window of taken steps held when it was bounded by count. Only a window bounded by time still knows the first of two twins. */
const BETWEEN = 25_000;
const PER_SECOND = 4_000;
/** A case's tiers are all shorter than this, so after it the retries that a killed dispatcher produced are back in `deliveries`. */
const RETURNED_MS = 2_500;

export const farTwins: FaultCase = {
  name: "far-twins",
  isLong: true,
  proves:
    "a dispatcher killed while its commits are a second behind its output forks no chain, though 25,000 deliveries of the partition stand between a retry and its twin",
  async run(world, random) {
    await world.startAll();
    for (let round = 0; round < (world.isShort ? 1 : 3); round++) {
      const load = world.publisher.publish({
        perSecond: 300,
        seconds: 2.5,
        rare: { dead: 75 },
      });
      await sleep(random.between(1_200, 1_500));
      const behind = await committedBy(world, "dispatcher", "deliveries");
      await sleep(random.between(700, 1_000));
      await world.kill9(world.services.one("dispatcher"));
      const overwritten = overwriteCommits(world, "dispatcher", behind);
      await load;
      await sleep(RETURNED_MS);
      // An endpoint in the same partition as the flaky and the dead ones.
      await world.publisher.publish({
        perSecond: PER_SECOND,
        seconds: BETWEEN / PER_SECOND,
        only: "healthy3",
      });
      await overwritten;
      await world.services.start("dispatcher");
    }
  },
};
