import { setTimeout as sleep } from "node:timers/promises";
import type { FaultCase } from "../case.ts";
import { commitsPrompt } from "../checks.ts";
import { SESSION_TIMEOUT_MS } from "../world.ts";

export const dispatcherKilled: FaultCase = {
  name: "dispatcher-killed",
  proves:
    "a kill of the dispatcher, at any moment, loses nothing and repeats only requests that were in flight or whose completion no commit had recorded",
  async run(world, random) {
    await world.startAll();
    const kills = world.isShort ? 1 : 5;
    const seconds = 3 + kills * (3 + SESSION_TIMEOUT_MS / 1000);
    const load = world.publisher.publish({ perSecond: 300, seconds });
    for (let kill = 0; kill < kills; kill++) {
      await sleep(random.between(2_000, 3_000));
      await world.kill9(world.services.one("dispatcher"));
      await world.services.start("dispatcher");
    }
    await load;
    world.also(commitsPrompt);
  },
};
