import { setTimeout as sleep } from "node:timers/promises";
import type { FaultCase } from "../case.ts";

export const clickhouseKilled: FaultCase = {
  name: "clickhouse-killed",
  proves:
    "kills of ClickHouse in the middle of inserts leave each record in it once, and cost deliveries nothing",
  async run(world, random) {
    await world.startAll();
    await world.publisher.publish({ perSecond: 400, seconds: 2 });
    await world.surviving(async () => {
      const kills = world.isShort ? 3 : 10;
      const load = world.publisher.publish({
        perSecond: 400,
        seconds: kills * 1.5,
      });
      for (let kill = 0; kill < kills; kill++) {
        await sleep(random.between(200, 1_200));
        await world.clickhouse.kill9();
        await sleep(random.between(0, 500));
        await world.clickhouse.restart();
      }
      await load;
    });
  },
};

export const clickhouseFrozen: FaultCase = {
  name: "clickhouse-frozen",
  proves:
    "a ClickHouse that falls silent for a while gets each record once, and deliveries go on meanwhile",
  async run(world, random) {
    await world.startAll();
    await world.publisher.publish({ perSecond: 400, seconds: 2 });
    await world.surviving(async () => {
      const load = world.publisher.publish({ perSecond: 400, seconds: 4 });
      await sleep(random.between(300, 1_000));
      world.clickhouse.freeze();
      await load;
      await sleep(random.between(0, world.isShort ? 1_000 : 70_000));
      world.clickhouse.thaw();
    });
  },
};
