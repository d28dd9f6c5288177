import { expect, test } from "@jest/globals";
import { setTimeout as sleep } from "node:timers/promises";
import {
  numberedValues,
  soon,
  tokenOf,
  useBatchRunner,
} from "@postrider/testkit";

const start = useBatchRunner();

test("records go in batches of the configured size, and the offset after the last is committed without an intent", async () => {
  const { consumer, target, isCommitted } = await start({
    limits: { maxRecords: 10, lingerMs: 1_000 },
  });
  consumer.append(0, ...numberedValues(25));

  consumer.assign(0);
  await soon(() => isCommitted(25, "without an intent"));

  expect(target.rows).toEqual(numberedValues(25));
  expect(target.tokens).toEqual([
    tokenOf(0, 9),
    tokenOf(10, 19),
    tokenOf(20, 24),
  ]);
});

test("a table that is slow to take a batch gets the next one larger", async () => {
  const { consumer, target } = await start({ limits: { lingerMs: 1 } });
  target.answer = async () => {
    await sleep(100);
    return { kind: "inserted" };
  };
  consumer.assign(0);
  consumer.append(0, "first");
  await soon(() => target.rows.length === 1);

  // Further apart than the linger, but within the longer wait that the slow insert causes.
  for (const letter of numberedValues(5)) {
    consumer.append(0, letter);
    await sleep(10);
  }
  await soon(() => target.rows.length === 6);

  expect(target.tokens).toEqual([tokenOf(0, 0), tokenOf(1, 5)]);
});

test("a batch is bounded by bytes, and a record larger than that travels alone", async () => {
  const { consumer, target } = await start({ limits: { maxBytes: 1_000 } });
  const large = "x".repeat(2_000);
  consumer.append(0, "a", large, "b");

  consumer.assign(0);
  await soon(() => target.rows.length === 3);

  expect(target.tokens).toHaveLength(3);
});

test("the lag is 0 before the first record, and again once all are recorded", async () => {
  const { consumer, lags, isCommitted } = await start();

  consumer.assign(0);
  await soon(() => lags.get("0") === 0);
  consumer.append(0, ...numberedValues(25));
  await soon(() => isCommitted(25));

  await soon(() => lags.get("0") === 0);
});

test("garbage becomes dead letters and its neighbours rows", async () => {
  const { consumer, target, deadLetters, isCommitted } = await start();
  consumer.append(0, "garbage", "a", "garbage", "garbage", "b", "garbage");

  consumer.assign(0);
  await soon(() => isCommitted(6, "without an intent"));

  expect(target.rows).toEqual(["a", "b"]);
  expect(deadLetters).toEqual([
    "unreadable 0/0",
    "unreadable 0/2",
    "unreadable 0/3",
    "unreadable 0/5",
  ]);
});

test("a record whose row cannot be made is refused like one that the table refuses", async () => {
  const { consumer, target, deadLetters, isCommitted } = await start({
    stage: {
      rowOf: ({ value }) => {
        if (value === "odd") throw new Error("odd");
        return value;
      },
    },
  });
  consumer.append(0, "a", "odd", "b");

  consumer.assign(0);
  await soon(() => isCommitted(3));

  expect(target.rows).toEqual(["a", "b"]);
  expect(deadLetters).toEqual(["row_refused 0/1"]);
});

test("with `reducedRowOf`, a refused record becomes a reduced row and is never produced as a dead letter", async () => {
  const { consumer, target, deadLetters, isCommitted } = await start({
    stage: {
      rowOf: ({ value }) => value,
      reducedRowOf: (raw, { reason }) => `${reason} ${raw.offset}`,
    },
  });
  target.answer = (rows) =>
    rows.includes("bad")
      ? { kind: "refused", detail: "bad" }
      : { kind: "inserted" };
  consumer.append(0, "a", "garbage", "bad", "b");

  consumer.assign(0);
  await soon(() => isCommitted(4));

  expect(target.rows).toEqual(["a", "unreadable 1", "row_refused 2", "b"]);
  expect(deadLetters).toEqual([]);
});
