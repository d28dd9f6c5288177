import { expect, test } from "@jest/globals";
import {
  FakeConsumer,
  TOPIC,
  decodeText,
  fakeClock,
  testEffects,
  turns,
  waitFor,
} from "@postrider/testkit";
import type { LogRange, TopicPartition } from "../ports.ts";
import type { Decoder } from "../stage.ts";
import { createTable } from "./table.ts";

/** Leaves out partitions without a leader, as the broker does. */
class ConsumerWithoutLeader extends FakeConsumer {
  leaderless = new Set<number>([1]);
  asked = 0;

  override async fetchLogRanges(
    partitions: readonly TopicPartition[],
  ): Promise<LogRange[]> {
    this.asked++;
    const ranges = await super.fetchLogRanges(partitions);
    return ranges.filter(({ partition }) => !this.leaderless.has(partition));
  }
}

test("while a partition has no leader the table is not loaded; once there is one, it has that partition's entries, too", async () => {
  const clock = fakeClock();
  const consumer = new ConsumerWithoutLeader({ topic: TOPIC, clock });
  const table = createTable<string>({
    ...testEffects(),
    clock,
    kafka: { consumer: () => consumer },
    topic: TOPIC,
    decode: decodeText,
  });
  consumer.append(0, "in the first");
  consumer.append(1, "in the second");
  let isLoaded = false;
  const started = table.start().then(() => (isLoaded = true));
  consumer.assign(0, 1);
  await waitFor(() => consumer.asked > 1, { everyMs: 1 });
  consumer.deliver();
  expect(isLoaded).toBe(false);

  consumer.leaderless.clear();
  await waitFor(() => consumer.deliver(), { everyMs: 1 });
  while (consumer.deliver());

  await started;
  // All records of this fake have one key, so look at the positions and not at the entries.
  expect(consumer.positions).toEqual(
    new Map([
      [0, 1],
      [1, 1],
    ]),
  );
  await table.stop(clock.now());
});

test("a batch that cannot be read is skipped with an alert; the table goes on and keeps its entries", async () => {
  const clock = fakeClock();
  const effects = testEffects({ clock });
  const consumer = new FakeConsumer({ topic: TOPIC, clock });
  const table = createTable<string>({
    ...effects,
    kafka: { consumer: () => consumer },
    topic: TOPIC,
    decode: decodeText,
  });
  consumer.append(0, "known");
  consumer.appendUnreadable(0, 9);
  const started = table.start();
  consumer.assign(0);

  await waitFor(() => consumer.deliver(), { everyMs: 1 });
  await started;

  expect(table.get("key")).toBe("known");
  expect(effects.log.of("table.recordLeftOut")).toMatchObject([
    { level: "error", fields: { offset: 1, why: "offsets 1 to 9" } },
  ]);
  await table.stop(clock.now());
});

/** A table of one partition that has been read to its end. */
async function loadedTable(decode: Decoder<string> = decodeText) {
  const clock = fakeClock();
  const effects = testEffects({ clock });
  const consumer = new ConsumerWithoutLeader({ topic: TOPIC, clock });
  const kafka = { consumer: () => consumer };
  const table = createTable<string>({
    ...effects,
    kafka,
    topic: TOPIC,
    decode,
  });
  consumer.append(0, "first");
  const started = table.start();
  consumer.assign(0);
  await waitFor(() => consumer.deliver(), { everyMs: 1 });
  await started;
  return { ...effects, table, consumer, clock };
}

test("a table that waits for a place which its log has no longer asks anew, and is current again", async () => {
  const { table, consumer, clock } = await loadedTable();
  const { asked } = consumer;
  // Acknowledged by a leader that dies before we, or another replica, have fetched it.
  consumer.append(0, "lost", "lost");
  await waitFor(() => consumer.asked > asked, { everyMs: 1 });
  const readToEnd = table.readToEnd();
  await turns();

  consumer.log(0).splice(1);
  clock.advance(5_001);
  expect(table.behind()).toMatch(/was last read to its end 5001 ms ago/);

  await waitFor(() => table.behind() === null, { timeoutMs: 5_000 });
  await readToEnd;
  await table.stop(clock.now());
});
