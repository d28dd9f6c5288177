import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import { FakeConsumer, fakeClock } from "@postrider/testkit";
import type { FetchedBatch } from "./ports.ts";
import { readPartition } from "./read-partition.ts";

/** A log of 100 records in partition 1, fetched by tens, and a reader of it. */
function aReader(range: { from: number; to: number } = { from: 0, to: 100 }) {
  const consumer = new FakeConsumer({
    topic: "t",
    clock: fakeClock(),
    isSelfMoving: true,
    fetchRecords: 10,
  });
  const values = Array.from({ length: 100 }, (_, n) => String(n));
  consumer.append(1, ...values);
  consumer.append(0, "of another partition");
  const reading = readPartition({
    kafka: { consumer: () => consumer },
    topic: "t",
    partition: 1,
    ...range,
    signal: new AbortController().signal,
  });
  return { consumer, reading, values };
}

const valuesOf = ({ records }: FetchedBatch) =>
  records.map(({ value }) => String(value));

/** Lets the reader's consumer join, once it was started by the first read. */
async function assigned(
  consumer: FakeConsumer,
  first: Promise<IteratorResult<FetchedBatch, void>>,
): Promise<string[]> {
  consumer.assign(0, 1);
  const { value } = await first;
  return value ? valuesOf(value) : [];
}

test("while the caller is busy with a batch, nothing more is fetched", async () => {
  const { consumer, reading, values } = aReader();
  const read = await assigned(consumer, reading.next());

  for (let turn = 0; turn < 10; turn++) await nextTurn();
  expect(consumer.positions.get(1)).toBe(10);
  for await (const batch of reading) read.push(...valuesOf(batch));

  expect(read).toEqual(values);
  expect(consumer.positions.has(0)).toBe(false);
  expect(consumer.isStopped).toBe(true);
});

test("a rebalance in the middle neither repeats a record nor leaves one out", async () => {
  const { consumer, reading, values } = aReader();
  const read = await assigned(consumer, reading.next());

  consumer.assign(0, 1);
  for await (const batch of reading) read.push(...valuesOf(batch));

  expect(read).toEqual(values);
});

test("where retention has taken the beginning, reading begins at the log's start", async () => {
  const { consumer, reading, values } = aReader({ from: 5, to: 60 });
  consumer.logs.set(1, consumer.log(1).slice(30));
  consumer.logStart.set(1, 30);
  const read = await assigned(consumer, reading.next());

  for await (const batch of reading) read.push(...valuesOf(batch));

  expect(read).toEqual(values.slice(30, 60));
});

test("a reader whose signal is aborted before it begins makes no consumer", async () => {
  const stop = new AbortController();
  stop.abort(new Error("the tenure is over"));
  const reading = readPartition({
    kafka: {
      consumer: () => {
        throw new Error("made a consumer");
      },
    },
    topic: "t",
    partition: 1,
    from: 0,
    to: 100,
    signal: stop.signal,
  });

  await expect(reading.next()).rejects.toThrow("the tenure is over");
});
