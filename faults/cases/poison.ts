import { promisify } from "node:util";
import { zstdCompress } from "node:zlib";
import { produceRaw, rawBatch, rawRecords } from "@postrider/testkit";
import type { FaultCase } from "../case.ts";
import { PARTITIONS } from "../world.ts";

const TOPICS = ["events", "deliveries", "attempts"];
const ZSTD = 4;
const squeeze = promisify<Buffer, Buffer>(zstdCompress);

export const poison: FaultCase = {
  name: "poison",
  proves:
    "batches that no consumer should take in (too many headers or records, a bomb, offsets that contradict each other) each become one dead letter, and the records after them are handled",
  async run(world) {
    await world.startAll();
    const load = world.publisher.publish({ perSecond: 300, seconds: 4 });
    const batches = await poisonous();
    const written = new Set<string>();
    for (const name of TOPICS)
      for (let partition = 0; partition < PARTITIONS; partition++)
        for (const batch of batches) {
          const to = { topic: world.topic(name), partition };
          const broker = world.stack.kafka.brokers[0]!;
          const answer = await produceRaw(broker, to, batch);
          if (answer.errorCode !== 0)
            throw new Error(`the broker refused: error ${answer.errorCode}`);
          written.add(`${to.topic}/${partition}@${answer.baseOffset}`);
        }
    await load;
    world.also(function* ({ deadLetters }) {
      const found = deadLetters
        .filter(({ reason }) => reason === "unreadable")
        .map(
          ({ recordTopic, recordPartition, recordOffset }) =>
            `${recordTopic}/${recordPartition}@${recordOffset}`,
        );
      for (const place of written)
        if (!found.includes(place)) yield `no dead letter of ${place}`;
      for (const place of found)
        if (!written.has(place)) yield `a dead letter of ${place}, too`;
    });
  },
};

async function poisonous(): Promise<Buffer[]> {
  const headers = Array.from(
    { length: 15_000 },
    (_, i) => [`h${i}`, Buffer.alloc(0)] as const,
  );
  const value = Buffer.from("poison");
  const many = Array.from({ length: 400_000 }, () => ({}));
  const bomb = [{ value: Buffer.alloc(64 << 20) }];
  const same = Array.from({ length: 10 }, () => ({ value, offsetDelta: 0 }));
  return [
    rawBatch({ size: 1, records: rawRecords([{ value, headers }]) }),
    rawBatch({
      size: many.length,
      codec: ZSTD,
      records: await squeeze(rawRecords(many)),
    }),
    rawBatch({
      size: 1,
      codec: ZSTD,
      records: await squeeze(rawRecords(bomb)),
    }),
    rawBatch({ size: same.length, records: rawRecords(same) }),
  ];
}
