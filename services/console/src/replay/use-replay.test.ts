import { expect, test } from "@jest/globals";
import { replayEveryMs } from "./use-replay.ts";

const error = new Error("There is no such replay.");

test("a replay is asked for each second, seldom after an error, and never once it is over", () => {
  expect(replayEveryMs({ data: undefined, error: null })).toBe(1_000);
  expect(replayEveryMs({ data: { state: "running" }, error: null })).toBe(
    1_000,
  );
  expect(replayEveryMs({ data: undefined, error })).toBe(15_000);
  expect(replayEveryMs({ data: { state: "running" }, error })).toBe(15_000);
  expect(replayEveryMs({ data: { state: "done" }, error: null })).toBe(false);
  expect(replayEveryMs({ data: { state: "cancelled" }, error })).toBe(false);
});
