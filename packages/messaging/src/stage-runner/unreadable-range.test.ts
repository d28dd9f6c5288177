/** A batch that cannot be read stands for a range of offsets: its dead letter comes before anything behind it. */
import { expect, test } from "@jest/globals";
import {
  soon,
  spelledCommit,
  storedCommit,
  turns,
  useStageRunner,
  type RunnerUnderTest,
  type SpelledCommit,
} from "@postrider/testkit";
import type { DeadLetter } from "@postrider/core";

const { create } = useStageRunner();

/** Its log: offset 0, then 1 to 400 that cannot be read, then 401. */
async function start(stored?: SpelledCommit): Promise<RunnerUnderTest> {
  const under = create({ isPrompt: true });
  under.consumer.append(0, "a/0");
  under.consumer.appendUnreadable(0, 400);
  under.consumer.append(0, "a/401");
  if (stored !== undefined)
    under.consumer.stored.set(0, storedCommit(stored, "another"));
  await under.startWith(0);
  return under;
}

const deadLetters = ({ output }: RunnerUnderTest) =>
  output.sent
    .flatMap(({ records }) => records)
    .filter(({ topic }) => topic === "dead-letters")
    .map(({ value }) => value as DeadLetter);

test("until the dead letter of an unreadable range is acknowledged, no record behind the range is handled and no offset of it committed", async () => {
  const under = await start();
  under.consumer.deliver(1);
  await under.commitsSent(1);
  under.output.isPrompt = false;

  under.consumer.deliver();
  await turns();
  expect(under.started).toEqual(["a/0"]);
  // A crash now leaves all of the range to the next owner, whether it can be read then or not.
  for (const [, offsets] of under.consumer.commits)
    for (const offset of offsets)
      expect(spelledCommit(offset).next).toBeLessThan(3);
  under.output.acknowledge();
  await soon(() => under.started.length === 2);
  under.output.acknowledge();

  await under.committedTo(402);
  expect(under.started).toEqual(["a/0", "a/401"]);
  expect(deadLetters(under)).toMatchObject([
    { reason: "unreadable", recordOffset: 1, detail: "offsets 1 to 400" },
  ]);
});

test("an observer is told the whole range", async () => {
  const heard: unknown[] = [];
  const under = create({
    isPrompt: true,
    observer: {
      completed: (...at) => void heard.push(at),
      committed: () => undefined,
    },
  });
  under.consumer.appendUnreadable(0, 400);
  await under.startWith(0);

  under.consumer.deliver();
  await soon(() => heard.length > 0);

  expect(heard).toEqual([["t.in", 0, 0, 399]]);
});

test("a range that is already done gets no second dead letter", async () => {
  const under = await start({ offset: 401, next: 401, open: [] });

  while (under.consumer.deliver());
  await soon(() => under.started.length === 1);

  expect(under.started).toEqual(["a/401"]);
  expect(deadLetters(under)).toEqual([]);
});

test("a range in which single offsets are open gets one dead letter, at the first of them", async () => {
  const under = await start({ offset: 7, next: 401, open: [7, 9, 300] });

  under.consumer.deliver();
  await soon(() => under.consumer.deliver() || under.started.length === 1);
  await under.committedTo(402);

  expect(deadLetters(under)).toMatchObject([{ recordOffset: 7 }]);
});

test("a range that reaches beyond what was read gets its dead letter at the first unread offset", async () => {
  const under = await start({ offset: 200, next: 200, open: [] });

  under.consumer.deliver();
  await under.committedTo(402);

  expect(deadLetters(under)).toMatchObject([{ recordOffset: 200 }]);
});
