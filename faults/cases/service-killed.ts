import { setTimeout as sleep } from "node:timers/promises";
import type { ServiceName } from "@postrider/cli";
import type { FaultCase } from "../case.ts";
import { nothingRepeated, signalsMade } from "../checks.ts";
import { SIGNALS } from "../publisher.ts";

function killed(name: ServiceName, proves: string): FaultCase {
  return {
    name: `${name}-killed`,
    proves,
    isLong: name === "ingest",
    async run(world, random) {
      await world.startAll();
      const kills = world.isShort ? 1 : 4;
      const load = world.publisher.publish({
        perSecond: 300,
        seconds: kills * 4,
        rare: SIGNALS,
      });
      for (let kill = 0; kill < kills; kill++) {
        await sleep(random.between(500, 2_500));
        await world.kill9(world.services.one(name));
        await world.services.start(name);
      }
      await load;
      world.also(nothingRepeated);
      world.also(signalsMade);
    },
  };
}

export const SERVICES_KILLED: readonly FaultCase[] = [
  killed(
    "ingest",
    "a kill of route, at any moment, loses no event, and no delivery is made twice",
  ),
  killed(
    "retry-scheduler",
    "a kill of hold, at any moment, loses no retry, starts none early, and repeats no request",
  ),
  killed(
    "recorder",
    "a kill of the recorder, at any moment, leaves each record in ClickHouse exactly once",
  ),
];
