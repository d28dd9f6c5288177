import { setTimeout as sleep } from "node:timers/promises";
import { Kafka as RawKafka, logLevel } from "kafkajs";
import type { FaultCase } from "../case.ts";
import { commitAs } from "../commit-as.ts";
import { committedBy, overwriteCommits } from "../overwrite-commits.ts";
import { metricOf } from "../services.ts";
import type { World } from "../world.ts";

const GARBAGE = [
  "",
  "not ours",
  "AQEDAgAC~tag~1",
  "////////////////////////////////~tag~zzzzzzzzzzz",
  "{}".repeat(2_048),
] as const;

export const commitGarbage: FaultCase = {
  name: "commit-garbage",
  proves:
    "foreign metadata in a commit with the right offset only causes repeats of records that were done above that offset",
  async run(world, random) {
    await world.startAll();
    for (let round = 0; round < (world.isShort ? 1 : 5); round++) {
      const load = world.publisher.publish({ perSecond: 300, seconds: 3 });
      await sleep(random.between(500, 1_500));
      // The kill leaves some records open, so that the commit metadata matter.
      await world.kill9(world.services.one("dispatcher"));
      const metadata = random.pick(GARBAGE);
      const stored = await committedBy(world, "dispatcher", "deliveries");
      await overwriteCommits(
        world,
        "dispatcher",
        stored.map((one) => ({ ...one, metadata })),
      );
      await world.services.start("dispatcher");
      await load;
    }
  },
};

export const offsetsOutOfRange: FaultCase = {
  name: "offsets-out-of-range",
  proves:
    "from a commit beyond the log's end the reader goes on at the end, from one before its start at the start; both raise an alert and replay nothing",
  isLong: true,
  async run(world) {
    await world.startAll();
    await world.publisher.publish({ perSecond: 300, seconds: 2 });
    await world.quiet();
    await world.services.stop(world.services.one("dispatcher"));
    await commitTo(world, (end) => end + 500);
    await startAlerted(world);
    await world.publisher.publish({ perSecond: 300, seconds: 1 });
    await world.quiet();

    await world.services.stop(world.services.one("dispatcher"));
    await cutLog(world, world.topic("deliveries"));
    await commitTo(world, () => 0);
    await startAlerted(world);
    await world.publisher.publish({ perSecond: 300, seconds: 1 });
  },
};

async function startAlerted(world: World): Promise<void> {
  const [dispatcher] = await world.services.start("dispatcher");
  const lost = await metricOf(dispatcher!, "postrider_lost_offsets_total");
  if (!lost) throw new Error("no alert: postrider_lost_offsets_total is 0");
}

async function commitTo(
  world: World,
  offsetOf: (end: number) => number,
): Promise<void> {
  const topic = world.topic("deliveries");
  const ranges = await world.admin.fetchLogRanges([topic]);
  await commitAs(world.kafka, `${world.prefix}dispatcher`, topic, (at) => ({
    offset: offsetOf(
      ranges.find(({ partition }) => partition === at.partition)?.end ?? 0,
    ),
    metadata: "",
  }));
}

/** Deletes every record of the topic, as its retention would. */
async function cutLog(world: World, topic: string): Promise<void> {
  const admin = new RawKafka({
    brokers: [...world.stack.kafka.brokers],
    logLevel: logLevel.NOTHING,
  }).admin();
  await admin.connect();
  try {
    const ends = await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({
      topic,
      partitions: ends.map(({ partition, high }) => ({
        partition,
        offset: high,
      })),
    });
  } finally {
    await admin.disconnect();
  }
}
