import { expect, test } from "@jest/globals";
import { setTimeout as sleep } from "node:timers/promises";
import {
  batchConsumer,
  numberedValues,
  soon,
  tokenOf,
  unavailable,
  useBatchRunner,
} from "@postrider/testkit";
import type { InsertResult } from "./batch-target.ts";
import { decodeIntent, encodeIntent } from "./intent-metadata.ts";

const start = useBatchRunner();

/** A commit that announces the insert of these offsets, except the excluded ones. */
const intentOf = (range: {
  first: number;
  last: number;
  firstTimestamp: number;
  excluded: readonly number[];
}) => ({
  offset: range.first,
  metadata: encodeIntent({
    intendedAt: 1,
    ranges: [{ partition: 0, ...range }],
  }),
});

test("while an insert is under way its range stands in the commit's metadata, with the offset unchanged", async () => {
  const { consumer, target, isCommitted } = await start();
  const answerInserts = target.holdInserts();
  consumer.append(0, "a", "garbage", "b");

  consumer.assign(0);
  await soon(() => target.tokens.length === 1);

  const { offset, metadata } = consumer.stored.get(0)!;
  expect(offset).toBe(0);
  expect(decodeIntent(metadata, 0)).toMatchObject({
    kind: "intent",
    intent: { ranges: [{ first: 0, last: 2, excluded: [1] }] },
  });
  answerInserts();
  await soon(() => isCommitted(3));
});

test("after an assignment during an insert, the insert begins again under the same token, and the old one commits nothing", async () => {
  const { consumer, target, isCommitted } = await start();
  const gates = [
    Promise.withResolvers<InsertResult>(),
    Promise.withResolvers<InsertResult>(),
  ];
  target.answer = () => gates[target.tokens.length - 1]!.promise;
  consumer.append(0, "a", "b");
  consumer.assign(0);
  await soon(() => target.tokens.length === 1);

  consumer.assign(0);
  await soon(() => target.tokens.length === 2);
  gates[0]!.resolve({ kind: "inserted" });
  await sleep(5);
  const afterOld = consumer.stored.get(0)!.offset;
  gates[1]!.resolve({ kind: "inserted" });
  await soon(() => isCommitted(2));

  expect(afterOld).toBe(0);
  expect(target.tokens[1]).toBe(target.tokens[0]);
  expect(target.rows).toEqual(["a", "b"]);
});

test("the range of an intent is fetched whole, even if it is larger than the queue and this member's batches", async () => {
  const consumer = batchConsumer();
  consumer.append(0, ...numberedValues(100));
  consumer.stored.set(
    0,
    intentOf({ first: 0, last: 79, firstTimestamp: 1_000, excluded: [5] }),
  );
  const { target, deadLetters } = await start({
    consumer,
    limits: { maxRecords: 3, maxBytes: 500, byteBudget: 500 },
  });

  consumer.assign(0);

  await soon(() => target.rows.length === 99);
  expect(target.tokens[0]).toBe(tokenOf(0, 79));
  expect(deadLetters).toEqual(["row_refused 0/5"]);
});

test("an intent whose beginning retention has deleted keeps its token, however often its repeat is interrupted", async () => {
  const consumer = batchConsumer();
  consumer.append(0, "gone", "b");
  consumer.logStart.set(0, 1);
  consumer.stored.set(
    0,
    intentOf({ first: 0, last: 1, firstTimestamp: 1_000, excluded: [] }),
  );
  const { target, isCommitted } = await start({ consumer });
  const answerInserts = target.holdInserts();

  consumer.assign(0);
  await soon(() => target.tokens.length === 1);
  consumer.assign(0);
  await soon(() => target.tokens.length === 2);
  answerInserts();

  await soon(() => isCommitted(2));
  expect(target.tokens).toEqual([tokenOf(0, 1), tokenOf(0, 1)]);
});

test("the intent of another log is not repeated under its token", async () => {
  const consumer = batchConsumer();
  consumer.append(0, "a", "b");
  consumer.stored.set(
    0,
    intentOf({ first: 0, last: 1, firstTimestamp: 77, excluded: [0] }),
  );
  const { target, lines, isCommitted } = await start({ consumer });

  consumer.assign(0);

  await soon(() => isCommitted(2));
  expect(lines).toContain("intent.foreign");
  expect(target.tokens).toEqual([tokenOf(0, 1)]);
  expect(target.rows).toEqual(["a", "b"]);
});

test("after the insert of a range whose intent was found on assignment, missing rows are put back", async () => {
  const { consumer, target, isCommitted } = await start();
  target.forgets = true;
  consumer.append(0, "a", "b", "c");
  consumer.stored.set(
    0,
    intentOf({ first: 0, last: 1, firstTimestamp: 1_000, excluded: [] }),
  );

  consumer.assign(0);
  await soon(() => isCommitted(3));

  // The insert of "c" was answered the first time, so its lost rows are not noticed.
  expect(target.rows).toEqual(["a", "b"]);
  expect(target.looks).toEqual([target.tokens[0]]);
});

test("after an insert that failed before, rows that the table lost are put back before the commit", async () => {
  const { consumer, target, lines, isCommitted } = await start();
  target.forgets = true;
  target.failOnce();
  consumer.append(0, "a", "b");

  consumer.assign(0);
  await soon(() => isCommitted(2));

  expect(target.rows).toEqual(["a", "b"]);
  expect(lines).toContain("rows.mended");
});

test("a mend that fails is repeated before the commit", async () => {
  const { consumer, target, isCommitted } = await start();
  target.failOnce();
  const { mend } = target;
  let looks = 0;
  target.mend = (rows, token) =>
    looks++ === 0
      ? Promise.resolve(unavailable("ECONNRESET"))
      : mend(rows, token);
  consumer.append(0, "a");

  consumer.assign(0);
  await soon(() => isCommitted(1));

  expect(target.tokens).toHaveLength(2);
  expect(looks).toBe(2);
});

test("inserts that are answered the first time are not mended", async () => {
  const { consumer, target, isCommitted } = await start({
    limits: { maxRecords: 2 },
  });
  consumer.append(0, ...numberedValues(10));

  consumer.assign(0);
  await soon(() => isCommitted(10));

  expect(target.looks).toEqual([]);
});
