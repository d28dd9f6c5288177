import { expect, test } from "@jest/globals";
import { createSeldom } from "./repeated-lines.ts";

test("a text is logged once, then once a minute with the number of those left out in between", () => {
  const { repeats } = createSeldom();

  const told = [0, 500, 1_000, 60_000, 60_500].map((at) => repeats("a", at));

  expect(told).toEqual([0, null, null, 2, null]);
});

test("another text is logged at once", () => {
  const { repeats } = createSeldom();
  repeats("a", 0);

  expect(repeats("b", 1)).toBe(0);
});

test("when too many texts are remembered, all are forgotten", () => {
  const { repeats } = createSeldom();
  for (let n = 0; n <= 200; n++) repeats(`text ${n}`, 0);

  expect(repeats("text 0", 1)).toBe(0);
});
