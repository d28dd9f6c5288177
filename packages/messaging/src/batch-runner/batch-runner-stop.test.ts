import { expect, test } from "@jest/globals";
import { setTimeout as sleep } from "node:timers/promises";
import {
  numberedValues,
  soon,
  unavailable,
  useBatchRunner,
} from "@postrider/testkit";
import { decodeIntent } from "./intent-metadata.ts";

const start = useBatchRunner();

test("once a rebalance has begun, the announced batch is settled and no other is announced", async () => {
  const { consumer, target, isCommitted } = await start({
    limits: { maxRecords: 2 },
  });
  const answerInserts = target.holdInserts();
  consumer.append(0, "a", "b", "c", "d");
  consumer.assign(0);
  await soon(() => target.tokens.length === 1);

  consumer.revoke();
  answerInserts();
  await soon(() => isCommitted(2, "without an intent"));
  await sleep(20);

  expect(target.rows).toEqual(["a", "b"]);
  consumer.assign(0);
  await soon(() => isCommitted(4));
});

test("a stop finishes the current batch and commits it before it leaves the group", async () => {
  const { consumer, target, runner } = await start({
    limits: { maxRecords: 2 },
  });
  const answerInserts = target.holdInserts();
  consumer.append(0, ...numberedValues(10));
  consumer.assign(0);
  await soon(() => target.tokens.length === 1);

  expect(consumer.isLeaving).toBe(false);
  const stopped = runner.stop(Date.now() + 5_000);
  await sleep(5);
  expect(consumer.isLeaving).toBe(true);
  expect(consumer.isStopped).toBe(false);
  answerInserts();
  await stopped;

  expect(target.rows).toEqual(["r0", "r1"]);
  expect(consumer.stored.get(0)).toEqual({ offset: 2, metadata: "" });
  expect(consumer.isStopped).toBe(true);
});

test("a stop while the table is unavailable does not wait for it, and leaves the intent", async () => {
  const { consumer, target, runner } = await start();
  target.answer = () => unavailable("away");
  consumer.append(0, "a");
  consumer.assign(0);
  await soon(() => target.tokens.length >= 1);
  const since = performance.now();

  await runner.stop(Date.now() + 30_000);

  expect(performance.now() - since).toBeLessThan(20_000);
  const stored = consumer.stored.get(0)!;
  expect(stored.offset).toBe(0);
  expect(decodeIntent(stored.metadata, 0).kind).toBe("intent");
});
