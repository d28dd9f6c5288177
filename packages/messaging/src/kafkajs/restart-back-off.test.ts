import { expect, test } from "@jest/globals";
import { RestartBackOff } from "./restart-back-off.ts";

function waits(backOff: RestartBackOff, count: number): number[] {
  return Array.from({ length: count }, () => backOff.crashed());
}

test("a consumer that crashes again and again waits twice as long each time, up to ten seconds", () => {
  const backOff = new RestartBackOff();

  expect(waits(backOff, 8)).toEqual([
    200, 400, 800, 1600, 3200, 6400, 10_000, 10_000,
  ]);
});

test("only a batch that was delivered makes the next wait short again", () => {
  const backOff = new RestartBackOff();
  waits(backOff, 6);

  backOff.delivered();

  expect(waits(backOff, 2)).toEqual([200, 400]);
});
