import { expect, test } from "@jest/globals";
import { AnswerPace } from "./answer-pace.ts";

function paceAfter(reads: readonly number[]): AnswerPace {
  const pace = new AnswerPace();
  for (const bytes of reads) pace.wasRead(bytes);
  return pace;
}

test.each<[string, readonly number[], boolean]>([
  ["nothing", [], false],
  ["one small answer", [60], false],
  ["fifteen reads of a byte", Array<number>(15).fill(1), false],
  ["sixteen reads of a byte", Array<number>(16).fill(1), true],
  ["a hundred reads of 63 bytes", Array<number>(100).fill(63), true],
  ["a hundred reads of 64 bytes", Array<number>(100).fill(64), false],
  [
    "bytes, and then all that had gathered",
    [...Array<number>(40).fill(1), 65_536],
    false,
  ],
])("%s", (_name, reads, isTiny) => {
  expect(paceAfter(reads).isTiny()).toBe(isTiny);
});

test("each answer begins anew", () => {
  const pace = paceAfter(Array<number>(40).fill(1));

  pace.restart();

  expect(pace.isTiny()).toBe(false);
});
