import { expect, test } from "@jest/globals";
import { fakeClock } from "@postrider/testkit";
import { keptAnswer } from "./kept-answer.ts";

const KEPT = { forMs: 3_000 };

test("however many ask, one question is under way, and its answer is given again until it is old", async () => {
  const clock = fakeClock();
  let asked = 0;
  const answer = keptAnswer(async () => (asked += 1), { ...KEPT, clock });

  expect(await Promise.all([answer(), answer()])).toEqual([1, 1]);
  clock.advance(2_999);
  expect(await answer()).toBe(1);
  clock.advance(1);
  expect(await answer()).toBe(2);
});

test("an answer is old only some time after it has come, not after it was asked for", async () => {
  const clock = fakeClock();
  const answered = Promise.withResolvers<string>();
  const answer = keptAnswer(() => answered.promise, { ...KEPT, clock });

  const first = answer();
  clock.advance(10_000);
  const second = answer();
  answered.resolve("one");

  expect(await Promise.all([first, second])).toEqual(["one", "one"]);
});

test("a failure is told to all who wait, and not kept", async () => {
  const clock = fakeClock();
  let asked = 0;
  const answer = keptAnswer(
    async () => {
      asked += 1;
      if (asked === 1) throw new Error("away");
      return asked;
    },
    { ...KEPT, clock },
  );

  const both = await Promise.allSettled([answer(), answer()]);

  expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  expect(await answer()).toBe(2);
});
