import { setTimeout as sleep } from "node:timers/promises";
import type { FaultCase } from "../case.ts";

/** The most Kafka clients of a service: the recorder's five runners. Each may keep one more connection; more is a leak that grows with each kill. */
const KAFKA_CLIENTS = 5;

export const brokerKilled: FaultCase = {
  name: "broker-killed",
  proves:
    "after kills of the broker everything resumes with no restart, nothing is lost, and no process holds more than before, except one connection for each Kafka client",
  async run(world, random) {
    await world.startAll();
    await world.publisher.publish({ perSecond: 400, seconds: 2 });
    const kills = world.isShort ? 1 : 4;
    await world.surviving(async () => {
      const load = world.publisher.publish({
        perSecond: 300,
        seconds: kills * 6,
      });
      for (let kill = 0; kill < kills; kill++) {
        await sleep(random.between(500, 2_000));
        await world.interrupted(async () => {
          await world.broker.kill9();
          await sleep(random.between(0, world.isShort ? 1_000 : 12_000));
          await world.broker.restart();
          await sleep(3_000);
        });
      }
      await load;
    }, KAFKA_CLIENTS);
  },
};

/** 8 s is longer than a client waits for an answer (5 s): when the broker wakes, it gets both the first request and its repeat. And one minute. */
const FROZEN_MS = [8_000, 60_000];

export const brokerFrozen: FaultCase = {
  name: "broker-frozen",
  proves:
    "requests that a frozen broker answers twice, after their senders gave them up and sent them again, lose nothing and fork nothing",
  isLong: true,
  async run(world, random) {
    await world.startAll();
    await world.publisher.publish({ perSecond: 400, seconds: 2 });
    await world.surviving(async () => {
      for (const frozenMs of FROZEN_MS) {
        const load = world.publisher.publish({ perSecond: 300, seconds: 4 });
        await sleep(random.between(500, 2_000));
        await world.interrupted(async () => {
          world.broker.freeze();
          await sleep(frozenMs + random.between(0, 1_000));
          world.broker.thaw();
          await sleep(3_000);
        });
        await load;
      }
    }, KAFKA_CLIENTS);
  },
};

export const brokerDownAtBoot: FaultCase = {
  name: "broker-down-at-boot",
  proves:
    "services that start without a broker report it, keep running, and begin when it comes",
  isLong: true,
  async run(world) {
    await world.broker.kill9();
    const services = await world.spawnAll();
    await sleep(4_000);
    const ended = services.filter((service) => service.hasExited());
    await world.broker.restart();
    if (ended.length > 0)
      throw new Error(`${ended.map(({ name }) => name).join()} ended`);
    await world.services.ready(...services);
    await world.publisher.publish({ perSecond: 300, seconds: 2 });
  },
};
