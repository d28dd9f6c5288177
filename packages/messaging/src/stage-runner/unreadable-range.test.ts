/** A batch that cannot be read stands for a range of offsets: its dead letter comes before anything behind it. */
import { afterEach, expect, test } from "@jest/globals";
import { fakeClock, waitFor, type FakeClock } from "@postrider/testkit";
import type { DeadLetter } from "@postrider/core";
import {
  decodeOffsetMetadata,
  encodeOffsetMetadata,
} from "../offsets/offset-metadata.ts";
import {
  HandMovedConsumer,
  runnerUnderTest,
  TOPIC,
  type RunnerUnderTest,
} from "./stage-runner.harness.ts";

let under: RunnerUnderTest;
let clock: FakeClock;

afterEach(async () => {
  await under.runner.stop(clock.now());
});

const soon = (condition: () => boolean) =>
  waitFor(condition, { everyMs: 1, timeoutMs: 3000 });
const turns = async (n = 20) => {
  for (let i = 0; i < n; i++)
    await new Promise((resolve) => setImmediate(resolve));
};

/** `fill` writes the log; `open` are the offsets that a commit at their first lists. */
async function start(
  fill: (consumer: HandMovedConsumer) => void,
  stored: { base: number; next: number; open: number[] } | null = null,
): Promise<void> {
  clock = fakeClock();
  under = runnerUnderTest({ clock, isPrompt: true });
  const { consumer, runner } = under;
  fill(consumer);
  if (stored !== null)
    consumer.stored.set(0, {
      topic: TOPIC,
      partition: 0,
      offset: stored.base,
      metadata: encodeOffsetMetadata({
        base: stored.base,
        next: stored.next,
        runs: stored.open.flatMap((offset) => [offset, 1]),
        tag: "old",
        counter: 1,
      }),
    });
  await runner.start();
  consumer.assign(0);
  await soon(() => runner.health().ready.every(({ isOk }) => isOk));
}

const deadLetters = () =>
  under.output.sent
    .flatMap(({ records }) => records)
    .filter(({ topic }) => topic === "dead-letters")
    .map(({ value }) => value as DeadLetter);
const committed = () =>
  under.consumer.commits.flatMap(([, offsets]) => offsets).at(-1)?.offset;

function damaged(consumer: HandMovedConsumer): void {
  consumer.append(0, "a/0");
  consumer.appendUnreadable(0, 1, 400);
  consumer.append(0, "a/401", 401);
}

test("nothing behind it is handled, and nothing of it committed, before its dead letter is acknowledged", async () => {
  await start(damaged);
  under.consumer.deliver(1);
  await soon(() => committed() === 1);
  under.output.isPrompt = false;

  under.consumer.deliver();
  await turns();
  expect(under.started).toEqual(["a/0"]);
  // A crash now leaves all of the range to the next owner, whether it can be read then or not.
  for (const [, offsets] of under.consumer.commits)
    for (const { offset, metadata } of offsets)
      expect(decodeOffsetMetadata(metadata, offset)!.next).toBeLessThan(3);
  under.output.acknowledge();
  await soon(() => under.started.length === 2);
  under.output.acknowledge();

  await soon(() => committed() === 402);
  expect(under.started).toEqual(["a/0", "a/401"]);
  expect(deadLetters()).toMatchObject([
    { reason: "unreadable", recordOffset: 1, detail: "offsets 1 to 400" },
  ]);
});

test("of a range that was done before, no second dead letter is made", async () => {
  await start(damaged, { base: 401, next: 401, open: [] });

  while (under.consumer.deliver());
  await soon(() => under.started.length === 1);

  expect(under.started).toEqual(["a/401"]);
  expect(deadLetters()).toEqual([]);
});

test("a range of which single offsets are open is a dead letter once, at the first of them", async () => {
  await start(damaged, { base: 7, next: 401, open: [7, 9, 300] });

  while (under.consumer.deliver());
  await soon(() => under.started.length === 1 && committed() === 402);

  expect(deadLetters()).toMatchObject([{ recordOffset: 7 }]);
});

test("a range that reaches beyond what was read is a dead letter at the first offset that was not", async () => {
  await start(damaged, { base: 200, next: 200, open: [] });

  while (under.consumer.deliver());
  await soon(() => under.started.length === 1 && committed() === 402);

  expect(deadLetters()).toMatchObject([{ recordOffset: 200 }]);
});
