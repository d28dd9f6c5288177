/** Batches of several partitions. */
import { expect, test } from "@jest/globals";
import { batchConsumer, soon, useBatchRunner } from "@postrider/testkit";
import { encodeIntent, tokenOf } from "./intent-metadata.ts";
import type { Intent } from "./intent-metadata.ts";

const start = useBatchRunner();
const LIMITS = { lingerMs: 200 };

/** The first two records of each of these partitions, with the timestamps that `FakeConsumer` gives them. */
const intentOf = (...partitions: number[]): Intent => ({
  intendedAt: 1,
  ranges: partitions.map((partition) => ({
    partition,
    first: 0,
    last: 1,
    firstTimestamp: 1_000,
    excluded: [],
  })),
});

test("records of all partitions leave in one insert, whose intent stands in each partition's commit", async () => {
  const { consumer, target } = await start({ limits: LIMITS });
  const answerInserts = target.holdInserts();
  for (const partition of [0, 1, 2])
    consumer.append(partition, `a${partition}`, `b${partition}`);

  consumer.assign(0, 1, 2);
  await soon(() => target.tokens.length === 1);

  expect(target.tokens).toEqual([
    tokenOf("attempts", "p.attempts", intentOf(0, 1, 2)),
  ]);
  const stored = [0, 1, 2].map((partition) => consumer.stored.get(partition)!);
  expect(new Set(stored.map(({ metadata }) => metadata)).size).toBe(1);
  expect(stored.map(({ offset }) => offset)).toEqual([0, 0, 0]);
  answerInserts();
  await soon(() =>
    [0, 1, 2].every((n) => consumer.stored.get(n)?.offset === 2),
  );
  expect(target.rows).toEqual(["a0", "b0", "a1", "b1", "a2", "b2"]);
});

test("the owner of one of an intent's partitions inserts all its ranges and commits its own only", async () => {
  const consumer = batchConsumer();
  const metadata = encodeIntent(intentOf(0, 1));
  for (const partition of [0, 1]) {
    consumer.append(partition, `a${partition}`, `b${partition}`);
    consumer.stored.set(partition, { offset: 0, metadata });
  }
  const { target } = await start({ consumer, limits: LIMITS });

  consumer.assign(1);
  await soon(() => consumer.stored.get(1)?.offset === 2);

  expect(target.tokens).toEqual([
    tokenOf("attempts", "p.attempts", intentOf(0, 1)),
  ]);
  expect(target.rows).toEqual(["a0", "b0", "a1", "b1"]);
  expect(consumer.stored.get(0)).toEqual({ offset: 0, metadata });
});

test("a partition whose log was made anew begins anew, and the others of its intent are repeated without it, under the same token", async () => {
  const consumer = batchConsumer();
  const metadata = encodeIntent(intentOf(0, 1));
  for (const partition of [0, 1]) {
    consumer.writtenAt = partition === 0 ? 77 : null;
    consumer.append(partition, `a${partition}`, `b${partition}`);
    consumer.stored.set(partition, { offset: 0, metadata });
  }
  const { target, lines } = await start({ consumer, limits: LIMITS });

  consumer.assign(0, 1);
  await soon(() => [0, 1].every((n) => consumer.stored.get(n)?.offset === 2));

  expect(target.tokens[0]).toBe(
    tokenOf("attempts", "p.attempts", intentOf(0, 1)),
  );
  expect(target.rows).toEqual(["a1", "b1", "a0", "b0"]);
  expect(lines.filter((line) => line === "intent.foreign")).toHaveLength(1);
});

test("a range whose beginning retention deletes while it is read is repeated from the log's start", async () => {
  const consumer = batchConsumer();
  const metadata = encodeIntent(intentOf(0, 1));
  for (const partition of [0, 1]) {
    consumer.append(partition, `a${partition}`, `b${partition}`);
    consumer.stored.set(partition, { offset: 0, metadata });
  }
  const { fetchOnce } = consumer;
  consumer.fetchOnce = (source, offset, maxBytes) => {
    if (source.partition === 0) consumer.logStart.set(0, 1);
    return source.partition === 0 && offset < 1
      ? Promise.reject(new Error("OFFSET_OUT_OF_RANGE"))
      : fetchOnce.call(consumer, source, offset, maxBytes);
  };
  const { target } = await start({ consumer, limits: LIMITS });

  consumer.assign(1);
  await soon(() => consumer.stored.get(1)?.offset === 2);

  expect(target.rows).toEqual(["b0", "a1", "b1"]);
});

test("an owner mends the rows of its own partitions only, even if the repeated insert was in doubt", async () => {
  const consumer = batchConsumer();
  const metadata = encodeIntent(intentOf(0, 1));
  for (const partition of [0, 1]) {
    consumer.append(partition, `a${partition}`, `b${partition}`);
    consumer.stored.set(partition, { offset: 0, metadata });
  }
  const { target } = await start({ consumer, limits: LIMITS });
  target.forgets = true;
  target.failOnce();

  consumer.assign(1);
  await soon(() => consumer.stored.get(1)?.offset === 2);

  expect(target.rows).toEqual(["a1", "b1"]);
  expect(target.looks).toHaveLength(1);
});

test("two announced batches are repeated one after the other, and each range is fetched in small pieces", async () => {
  const consumer = batchConsumer();
  for (const pair of [
    [0, 1],
    [2, 3],
  ])
    for (const partition of pair) {
      consumer.append(partition, `a${partition}`, `b${partition}`);
      const metadata = encodeIntent(intentOf(...pair));
      consumer.stored.set(partition, { offset: 0, metadata });
    }
  const { fetchOnce } = consumer;
  const fetched: [partition: number, maxBytes: number][] = [];
  consumer.fetchOnce = (source, offset, maxBytes) => {
    fetched.push([source.partition, maxBytes]);
    return fetchOnce.call(consumer, source, offset, maxBytes);
  };
  const { target } = await start({
    consumer,
    limits: { ...LIMITS, maxBytes: 3_000 },
  });
  const answerInserts = target.holdInserts();

  consumer.assign(0, 2);
  await soon(() => target.tokens.length === 1);
  const first = [...fetched];
  answerInserts();
  await soon(() => [0, 2].every((n) => consumer.stored.get(n)?.offset === 2));

  expect(first).toEqual([
    [0, 1_500],
    [1, 1_500],
  ]);
  expect(fetched).toHaveLength(4);
});

test("the partitions of one owner repeat their intent with one insert", async () => {
  const consumer = batchConsumer();
  const metadata = encodeIntent(intentOf(0, 1));
  for (const partition of [0, 1]) {
    consumer.append(partition, `a${partition}`, `b${partition}`);
    consumer.stored.set(partition, { offset: 0, metadata });
  }
  const { target } = await start({ consumer, limits: LIMITS });

  consumer.assign(0, 1);
  await soon(() => [0, 1].every((n) => consumer.stored.get(n)?.offset === 2));

  expect(target.tokens).toHaveLength(1);
});

test("while a member of the group cannot read intents of several partitions, each insert has one", async () => {
  const consumer = batchConsumer();
  consumer.allAble = false;
  const { target } = await start({ consumer, limits: LIMITS });
  for (const partition of [0, 1]) consumer.append(partition, "a", "b");

  consumer.assign(0, 1);
  await soon(() => [0, 1].every((n) => consumer.stored.get(n)?.offset === 2));

  expect([...target.tokens].sort()).toEqual(
    [0, 1].map((n) => tokenOf("attempts", "p.attempts", intentOf(n))),
  );
});

test("what does not fit into one intent leaves in the next batch, and the longest intent fits into a commit", async () => {
  const { consumer, target } = await start({ limits: LIMITS });
  const partitions = Array.from({ length: 400 }, (_, n) => n);
  for (const partition of partitions) consumer.append(partition, "a", "b");

  consumer.assign(...partitions);
  await soon(() => target.rows.length === 800);
  await soon(() =>
    partitions.every((n) => consumer.stored.get(n)?.offset === 2),
  );

  const lengths = consumer.commits.flatMap(([, offsets]) =>
    offsets.map(({ metadata }) => metadata.length),
  );
  expect(Math.max(...lengths)).toBeLessThanOrEqual(4_096);
  expect(Math.max(...lengths)).toBeGreaterThan(3_500);
  expect(target.tokens.length).toBeLessThan(10);
});

test("a partition that waits for a schema is left out of the batches of the others", async () => {
  const { consumer, target, schemas } = await start({ limits: LIMITS });
  consumer.append(0, "schema:s1", "b0");
  consumer.append(1, "a1");
  consumer.append(2, "a2");

  consumer.assign(0, 1, 2);
  await soon(() => target.rows.length === 2);
  expect(target.tokens).toHaveLength(1);
  schemas.add("s1");

  await soon(() => target.rows.length === 4);
});
