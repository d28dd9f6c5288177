import { expect, test } from "@jest/globals";
import { useStack } from "@postrider/testkit";
import type { FetchedBatch } from "./ports.ts";
import { readPartition } from "./read-partition.ts";

const stack = useStack();

/** A topic whose partitions hold so many records; each record's key is its number. */
async function aTopic(
  name: string,
  counts: readonly number[],
): Promise<string> {
  const [topic = ""] = await stack.createTopics(name);
  const producer = await stack.kafka().createProducer();
  for (const [partition, count] of counts.entries())
    for (let at = 0; at < count; at += 100)
      await producer.sendBatch(
        Array.from({ length: Math.min(100, count - at) }, (_, n) => ({
          topic,
          partition,
          key: Buffer.from(`${partition}:${at + n}`),
          value: Buffer.alloc(10),
        })),
      );
  await producer.disconnect();
  return topic;
}

const aRange = (topic: string, from: number, to: number) => ({
  kafka: stack.kafka(),
  topic,
  partition: 1,
  from,
  to,
  signal: new AbortController().signal,
  sessionTimeoutMs: stack.sessionTimeoutMs,
});

const keysOf = (batches: readonly FetchedBatch[]): string[] =>
  batches.flatMap(({ records }) => records.map(({ key }) => String(key)));

async function all(
  batches: AsyncIterable<FetchedBatch>,
): Promise<FetchedBatch[]> {
  const read: FetchedBatch[] = [];
  for await (const batch of batches) read.push(batch);
  return read;
}

test("a range of one partition is read in order; its other records, and other partitions, are not", async () => {
  const topic = await aTopic("ranges", [50, 350]);

  const keys = keysOf(await all(readPartition(aRange(topic, 20, 320))));

  expect(keys).toEqual(Array.from({ length: 300 }, (_, n) => `1:${20 + n}`));
});

test("a range that is empty, or reaches beyond the log, ends at the log's end", async () => {
  const topic = await aTopic("ends", [0, 10]);

  expect(keysOf(await all(readPartition(aRange(topic, 10, 10))))).toEqual([]);
  expect(keysOf(await all(readPartition(aRange(topic, 8, 1_000_000))))).toEqual(
    ["1:8", "1:9"],
  );
});

test("an abort ends it with the signal's reason, whatever it waits for", async () => {
  const topic = await aTopic("aborted", [0, 10]);
  const stop = new AbortController();
  const reading = readPartition({
    ...aRange(topic, 0, 10),
    signal: stop.signal,
  });
  await reading.next();

  stop.abort(new Error("enough"));

  await expect(reading.next()).rejects.toThrow("enough");
});
