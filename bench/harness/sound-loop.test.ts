import { expect, test } from "@jest/globals";
import { soundLoop } from "./sound-loop.ts";

/** A loop whose requests cost so much, try after try, where a bare one takes 10 µs. */
function measuredAt(...micros: number[]) {
  return {
    measured: [] as number[],
    async measure(nth: number) {
      this.measured.push(nth);
      return { result: nth, micros: micros[nth - 1]!, bareMicros: 10 };
    },
  };
}

test.each([
  ["a sound loop is measured once", [50], 1],
  ["a disturbed measurement is made again", [51, 20], 2],
  ["and once more", [90, 51, 20], 3],
])("%s", async (_what, micros, tries) => {
  const loop = measuredAt(...micros);

  expect(await soundLoop((nth) => loop.measure(nth))).toBe(tries);
  expect(loop.measured).toHaveLength(tries);
});

test("a loop that costs too much each time is broken, and the error says what was measured", async () => {
  const loop = measuredAt(60, 61, 59);

  await expect(soundLoop((nth) => loop.measure(nth))).rejects.toThrow(
    "the raw loop is broken: in 3 tries a request of it (a bare one) took 60.0 µs (10.0), 61.0 µs (10.0), 59.0 µs (10.0)",
  );
});
