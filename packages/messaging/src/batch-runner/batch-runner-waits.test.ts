import { expect, test } from "@jest/globals";
import {
  numberedValues,
  soon,
  unavailable,
  useBatchRunner,
} from "@postrider/testkit";

const start = useBatchRunner();

test("fetching pauses while the table is unavailable, readiness says why, and it goes on when the table is back", async () => {
  const { consumer, target, runner, complaints } = await start({
    limits: { maxRecords: 2 },
  });
  let isAway = true;
  target.answer = () =>
    isAway
      ? unavailable("ClickHouse cannot be reached: ECONNREFUSED")
      : { kind: "inserted" };
  consumer.append(0, ...numberedValues(50));
  consumer.append(1, "other");

  consumer.assign(0, 1);
  await soon(
    () =>
      complaints().join() === "ClickHouse cannot be reached: ECONNREFUSED" &&
      consumer.paused.size === 2,
  );
  expect(runner.health().live.every(({ isOk }) => isOk)).toBe(true);
  isAway = false;

  await soon(() => target.rows.length === 51);
  expect(runner.health().ready.every(({ isOk }) => isOk)).toBe(true);
  expect(consumer.paused.size).toBe(0);
});

test("a full queue pauses fetching before the memory is full", async () => {
  const { consumer, target } = await start({
    limits: { maxRecords: 2, maxBytes: 1_000, byteBudget: 2_000 },
  });
  const answerInserts = target.holdInserts();
  consumer.append(0, ...numberedValues(500));

  consumer.assign(0);
  await soon(() => consumer.paused.has(0));
  answerInserts();

  await soon(() => target.rows.length === 500);
  expect(target.rows).toEqual(numberedValues(500));
});

test("a fault that needs the operator keeps the batch, and readiness names the fault", async () => {
  const { consumer, target, lines, deadLetters, complaints } = await start();
  let isMissing = true;
  target.answer = () =>
    isMissing
      ? unavailable("ClickHouse answered 60 UNKNOWN_TABLE", true)
      : { kind: "inserted" };
  consumer.append(0, "a");

  consumer.assign(0);
  await soon(() => lines.includes("table.needsOperator"));
  expect(complaints().join()).toContain("UNKNOWN_TABLE");
  isMissing = false;

  await soon(() => target.rows.length === 1);
  expect(deadLetters).toEqual([]);
});

test("nothing is inserted while no heartbeat is acknowledged", async () => {
  const { consumer, target, complaints } = await start({
    limits: { sessionTimeoutMs: 1_000 },
  });
  consumer.heartbeatAt = performance.now() - 5_000;
  consumer.append(0, "a");

  consumer.assign(0);
  await soon(() => complaints().join().includes("lost contact"));
  expect(target.tokens).toEqual([]);
  consumer.heartbeatAt = Infinity;

  await soon(() => target.rows.length === 1);
});

test("a record whose schema is not known waits while other partitions go on, and is a row when it comes", async () => {
  const { consumer, target, schemas, complaints } = await start({
    limits: { unknownSchemaWaitMs: 60_000 },
  });
  consumer.append(0, "a", "schema:s1", "b");
  consumer.append(1, "other");

  consumer.assign(0, 1);
  await soon(() => complaints().includes("partition 0: waits for schema s1"));
  await soon(() => target.rows.length === 2);
  schemas.add("s1");

  await soon(() => target.rows.length === 4);
  expect(target.rows.filter((row) => row !== "other")).toEqual([
    "a",
    "schema:s1",
    "b",
  ]);
});

test("schemas that never come make dead letters after one wait, however many they are", async () => {
  const { consumer, target, deadLetters } = await start({
    limits: { unknownSchemaWaitMs: 500 },
  });
  const lost = Array.from({ length: 40 }, (_, n) => `schema:lost${n}`);
  consumer.append(0, "a", ...lost, "b");
  const since = performance.now();

  consumer.assign(0);
  await soon(() => target.rows.length === 2);

  expect(deadLetters).toHaveLength(40);
  expect(deadLetters[0]).toBe("unknown_schema 0/1");
  expect(performance.now() - since).toBeLessThan(40 * 500);
});
