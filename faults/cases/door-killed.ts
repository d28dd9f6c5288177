import { setTimeout as sleep } from "node:timers/promises";
import { type Evidence, type Random, readTopics } from "@postrider/testkit";
import type { FaultCase } from "../case.ts";
import { createDoorPublisher } from "../door-publisher.ts";
import type { World } from "../world.ts";

const DOOR = {
  POSTRIDER_INGEST_ROLES: "door",
  POSTRIDER_DOOR_TIMEOUT: "2s",
};
/** So many requests are under way when a door dies. */
const BURST = 200;

export const doorKilled: FaultCase = {
  name: "door-killed",
  proves:
    "every event that the door answered with 202 is on the topic, and ends as any other, across kills of doors with requests in flight and of the broker",
  isLong: true,
  async run(world, random) {
    await world.startAll({ ingest: { POSTRIDER_INGEST_ROLES: "route" } });
    const [route] = world.services.all("ingest");
    const another = async (): Promise<void> =>
      await world.services.ready(await world.services.spawn("ingest", DOOR));
    await another();
    await another();
    const doors = () =>
      world.services.all("ingest").filter((one) => one !== route);
    const publisher = createDoorPublisher(world, random, () =>
      doors().flatMap(({ url }) => (url === null ? [] : [url])),
    );
    try {
      const kills = world.isShort ? 2 : 6;
      const load = publisher.publish({ perSecond: 200, seconds: kills * 3 });
      const bursts: Promise<void>[] = [];
      for (let kill = 0; kill < kills; kill++) {
        await sleep(random.between(300, 1_000));
        bursts.push(publisher.burst(BURST));
        await sleep(random.between(0, 40));
        await world.kill9(doors()[random.between(0, 1)]!);
        await another();
      }
      if (!world.isShort) await brokerDies(world, random);
      await Promise.all([load, ...bursts]);
    } finally {
      publisher.close();
    }
    await world.quiet();
    const onTopic = await idsOnTopic(world);
    world.also((evidence) => allOnTopic(evidence, onTopic));
    world.tells(() => ({ ...publisher.answers }));
  },
};

/** Longer than the door waits for an acknowledgement. */
async function brokerDies(world: World, random: Random): Promise<void> {
  await world.interrupted(async () => {
    await world.broker.kill9();
    await sleep(random.between(3_000, 5_000));
    await world.broker.restart();
    await sleep(3_000);
  });
}

async function idsOnTopic(world: World): Promise<ReadonlySet<string>> {
  const records = await readTopics(world.kafka, [world.topic("events")]);
  return new Set(records.map(({ key }) => key?.toString().split(":")[1] ?? ""));
}

function* allOnTopic(
  { published }: Evidence,
  onTopic: ReadonlySet<string>,
): Iterable<string> {
  for (const { eventId } of published)
    if (!onTopic.has(eventId))
      yield `${eventId} was answered with 202 and is not on the topic`;
}
