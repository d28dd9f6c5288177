import { expect, test } from "@jest/globals";
import { createSeldom } from "./repeated-lines.ts";

test("a text is told once, then once a minute with the number of those between", () => {
  const { repeats } = createSeldom();

  const told = [0, 500, 1_000, 60_000, 60_500].map((at) => repeats("a", at));

  expect(told).toEqual([0, null, null, 2, null]);
});

test("another text is told at once", () => {
  const { repeats } = createSeldom();
  repeats("a", 0);

  expect(repeats("b", 1)).toBe(0);
});

test("many texts are forgotten rather than kept", () => {
  const { repeats } = createSeldom();
  for (let n = 0; n <= 200; n++) repeats(`text ${n}`, 0);

  expect(repeats("text 0", 1)).toBe(0);
});
