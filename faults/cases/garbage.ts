import type { ProducerRecord } from "@postrider/messaging";
import type { FaultCase } from "../case.ts";
import { garbageFor } from "../../tests/garbage.ts";
import { PARTITIONS } from "../world.ts";

/** Without `dead-letters`: unreadable records there have no key to be counted by. tests/garbage.e2e.test.ts covers them. */
const TOPICS = ["events", "deliveries", "attempts", "intake"];
const COUNT = 60;
const SOUND = Buffer.from("c3010000000000000000", "hex");

export const garbage: FaultCase = {
  name: "garbage",
  proves:
    "garbage records stop no partition, and no good record is lost with them",
  isLong: true,
  async run(world, random) {
    // A record with an unknown schema waits for the schema; shortened here.
    const env = { POSTRIDER_UNKNOWN_SCHEMA_WAIT: "1s" };
    await world.startAll({
      ingest: env,
      dispatcher: env,
      "retry-scheduler": env,
      recorder: env,
    });
    const load = world.publisher.publish({ perSecond: 300, seconds: 4 });
    const producer = await world.kafka.createProducer();
    const records: ProducerRecord[] = [...TOPICS, ...world.tierTopics].flatMap(
      (name) =>
        garbageFor({
          topic: world.topic(name),
          partitions: PARTITIONS,
          count: COUNT,
          needsKey: false,
          seed: random.between(0, 2 ** 31),
          sound: SOUND,
        }),
    );
    try {
      for (let i = 0; i < records.length; i += 50)
        await producer.sendBatch(records.slice(i, i + 50));
    } finally {
      await producer.disconnect();
    }
    await load;
  },
};
