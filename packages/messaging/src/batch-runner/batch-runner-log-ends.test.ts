import { expect, test } from "@jest/globals";
import {
  batchConsumer,
  numberedValues,
  soon,
  turns,
  useBatchRunner,
} from "@postrider/testkit";

const start = useBatchRunner();

test("with a position below the log's start, the start is asked for until Kafka answers, and reading goes on", async () => {
  const { consumer, target, lines } = await start({ limits: { lingerMs: 1 } });
  consumer.append(0, ...numberedValues(4));
  consumer.assign(0);
  await soon(() => target.rows.length === 4);
  const ranges = consumer.fetchLogRanges.bind(consumer);
  let isAway = true;
  consumer.fetchLogRanges = (partitions) =>
    isAway ? Promise.reject(new Error("away")) : ranges(partitions);

  consumer.logStart.set(0, 8);
  consumer.append(0, ...numberedValues(10).slice(4));
  await soon(() => lines.includes("partition.failed"));
  isAway = false;

  await soon(() => target.rows.length === 6);
  expect(target.rows).toEqual(["r0", "r1", "r2", "r3", "r8", "r9"]);
});

test("with a position below the log's start, queued records are recorded, the loss is reported, and the announced batch stays announced", async () => {
  const { consumer, target, lines, isCommitted } = await start();
  const answerInserts = target.holdInserts();
  consumer.append(0, "held");
  consumer.assign(0);
  await soon(() => target.tokens.length === 1);
  consumer.append(0, "lost 1", "lost 2", "kept");
  consumer.logs.set(0, consumer.logs.get(0)!.slice(3));
  consumer.logStart.set(0, 3);
  await soon(() => lines.includes("offset.belowStart"));
  const { offset, metadata } = consumer.stored.get(0)!;
  const commits = consumer.commits.length;
  answerInserts();

  await soon(() => isCommitted(4));
  expect(offset).toBe(0);
  expect(metadata).not.toBe("");
  expect(consumer.commits[commits]![1]).not.toMatchObject([{ offset }]);
  expect(target.rows).toEqual(["held", "kept"]);
});

test("with a position beyond the log's end, reading goes on at the end, never at the beginning", async () => {
  const consumer = batchConsumer();
  consumer.append(0, "old 1", "old 2");
  consumer.stored.set(0, { offset: 900, metadata: "" });
  const { target, lines, isCommitted } = await start({ consumer });

  consumer.assign(0);
  await soon(() => lines.includes("offset.beyondEnd"));
  consumer.append(0, "new");

  await soon(() => target.rows.length === 1);
  expect(target.rows).toEqual(["new"]);
  await soon(() => isCommitted(3));
});

test("a running partition whose log is cut also goes on at the log's end", async () => {
  const { consumer, target, lines, isCommitted } = await start();
  consumer.append(0, "a", "b", "c");
  consumer.assign(0);
  await soon(() => isCommitted(3));

  consumer.logs.set(0, []);
  consumer.append(0, "again a");
  await soon(() => lines.includes("offset.beyondEnd"));
  consumer.append(0, "new");

  await soon(() => target.rows.length === 4);
  expect(target.rows).toEqual(["a", "b", "c", "new"]);
});

test("a partition that waited for a schema and whose log was cut since waits for it no more", async () => {
  const { consumer, lines, complaints } = await start();
  consumer.append(0, "a", "b", "schema:s1");
  consumer.assign(0);
  await soon(() => complaints().includes("partition 0: waits for schema s1"));

  consumer.logs.set(0, []);
  consumer.append(0, "again a");
  await soon(() => lines.includes("offset.beyondEnd"));

  await soon(() => complaints().length === 0);
});

test("a log that ends before what is queued is not asked without a pause", async () => {
  const { consumer, complaints, target } = await start();
  consumer.append(0, "a", "schema:s1");
  consumer.assign(0, 1);
  await soon(() => complaints().includes("partition 0: waits for schema s1"));
  const ranges = consumer.fetchLogRanges.bind(consumer);
  let asked = 0;
  consumer.fetchLogRanges = (partitions) => {
    asked++;
    return ranges(partitions);
  };

  const since = performance.now();
  consumer.logs.set(0, consumer.logs.get(0)!.slice(0, 1));
  consumer.append(1, "other");
  await soon(() => asked > 0 && target.rows.includes("other"));
  await turns(200);

  // The shortest pause is 50 ms.
  expect(asked).toBeLessThan((performance.now() - since) / 50 + 3);
});

test("a batch fetched from beyond our position is not taken, so that no offset is skipped", async () => {
  const { consumer, target } = await start();
  consumer.append(0, ...numberedValues(20));
  consumer.assign(0);
  await soon(() => target.rows.length === 20);

  consumer.append(0, "next", "last");
  consumer.positions.set(0, 21);

  await soon(() => target.rows.length === 22);
  expect(target.rows).toEqual([...numberedValues(20), "next", "last"]);
});
