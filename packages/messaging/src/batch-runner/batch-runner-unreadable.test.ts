/** A fetched batch that cannot be read, in the log of a batch runner. */
import { expect, test } from "@jest/globals";
import { batchConsumer, soon, useBatchRunner } from "@postrider/testkit";
import { encodeIntent } from "./intent-metadata.ts";

const start = useBatchRunner();

/** A commit that announces the insert of these offsets, except the excluded ones. */
const intentOf = (
  first: number,
  last: number,
  excluded: number[] = [],
  firstTimestamp = 1000 + first,
) => ({
  offset: first,
  metadata: encodeIntent({
    intendedAt: 1,
    ranges: [{ partition: 0, first, last, firstTimestamp, excluded }],
  }),
});

test("a batch that cannot be read becomes one dead letter; all rows around it are recorded, and the offset behind it is committed", async () => {
  const { consumer, target, deadLetters, isCommitted } = await start();
  consumer.append(0, "r0", "r1");
  consumer.appendUnreadable(0, 1000);
  consumer.append(0, "r2");

  consumer.assign(0);

  await soon(() => isCommitted(1003, "without an intent"));
  expect(target.rows).toEqual(["r0", "r1", "r2"]);
  expect(deadLetters).toEqual(["unreadable 0/2"]);
});

test("if it could be read when its range was announced, it is left out under the same token", async () => {
  const consumer = batchConsumer();
  consumer.append(0, "r0", "r1", "r2", "r3");
  consumer.stored.set(0, intentOf(0, 3));
  consumer.log(0).splice(1, 2, consumer.unreadable(0, 1, 2));

  const { target, deadLetters, isCommitted } = await start({ consumer });
  consumer.assign(0);

  await soon(() => isCommitted(4));
  expect(target.rows).toEqual(["r0", "r3"]);
  expect(new Set(target.tokens).size).toBe(1);
  expect(deadLetters).toEqual(["unreadable 0/1"]);
});

test("if it was announced as unreadable and can be read now, its offsets that were not excluded become rows, once", async () => {
  const consumer = batchConsumer();
  consumer.append(0, "r0", "r1", "r2", "r3");
  consumer.stored.set(0, intentOf(1, 2, [1]));

  const { target, deadLetters, isCommitted } = await start({ consumer });
  consumer.assign(0);

  await soon(() => isCommitted(4));
  expect(target.rows).toEqual(["r2", "r3"]);
  expect(deadLetters).toEqual(["row_refused 0/1"]);
});

test("if it was announced as unreadable and still cannot be read, its dead letter is the same", async () => {
  const consumer = batchConsumer();
  consumer.append(0, "r0");
  consumer.appendUnreadable(0, 10);
  consumer.append(0, "r11");
  consumer.stored.set(0, intentOf(1, 10, [1]));

  const { target, deadLetters, isCommitted } = await start({ consumer });
  consumer.assign(0);

  await soon(() => isCommitted(12));
  expect(target.rows).toEqual(["r11"]);
  expect(deadLetters).toEqual(["unreadable 0/1"]);
});

test.each([
  ["the latest in its batch", 1002],
  ["not known", 0],
])(
  "where its time was %s when it was announced and it can be read now, it is the same range",
  async (_, firstTimestamp) => {
    const consumer = batchConsumer();
    consumer.append(0, "r0", "r1", "r2", "r3");
    consumer.stored.set(0, intentOf(1, 2, [1], firstTimestamp));

    const { target, deadLetters, lines, isCommitted } = await start({
      consumer,
    });
    consumer.assign(0);

    await soon(() => isCommitted(4));
    expect(lines).not.toContain("intent.foreign");
    expect(target.rows).toEqual(["r2", "r3"]);
    expect(deadLetters).toEqual(["row_refused 0/1"]);
  },
);
