import { expect, test } from "@jest/globals";
import { sharedQuestion } from "./shared-question.ts";

/** A question whose answers are given by hand, each with the number of the question. */
function aQuestion() {
  const asked: PromiseWithResolvers<number>[] = [];
  const ask = sharedQuestion(() => {
    const question = Promise.withResolvers<number>();
    asked.push(question);
    return question.promise;
  });
  const turns = async (): Promise<void> => {
    for (let n = 0; n < 10; n += 1) await Promise.resolve();
  };
  return {
    ask,
    count: () => asked.length,
    answer: async () => {
      asked.at(-1)?.resolve(asked.length);
      await turns();
    },
    fail: async () => {
      asked.at(-1)?.reject(new Error("away"));
      await turns();
    },
  };
}

test("those who ask while a question is under way share the next one, and get its answer", async () => {
  const { ask, count, answer } = aQuestion();
  const first = ask();
  const others = Array.from({ length: 1_000 }, () => ask());

  await answer();
  await answer();

  expect(await first).toBe(1);
  expect(new Set(await Promise.all(others))).toEqual(new Set([2]));
  expect(count()).toBe(2);
});

test("a question that fails concerns those who asked it, and the next is asked all the same", async () => {
  const { ask, answer, fail } = aQuestion();
  const first = ask().catch((error: Error) => error.message);
  const second = ask();

  await fail();
  await answer();

  expect(await first).toBe("away");
  expect(await second).toBe(2);
});

test("at most one question is under way, and one that is over is asked anew", async () => {
  const { ask, count, answer } = aQuestion();
  void ask();
  const second = ask();
  await answer();
  const third = ask();

  expect(count()).toBe(2);
  await answer();
  await answer();

  expect([await second, await third]).toEqual([2, 3]);
  void ask();
  expect(count()).toBe(4);
});
