import { expect, test } from "@jest/globals";
import { fakeClock } from "@postrider/testkit";
import { FETCH_EVERY_MS, FetchTurns, SHORT_WAIT_MS } from "./fetch-turns.ts";

function turns(longestWaitMs = 250) {
  const clock = fakeClock();
  return {
    clock,
    turns: new FetchTurns(() => clock.monotonic(), longestWaitMs),
  };
}

const ALL = { position: 7, highWatermark: 7 };
const SOME = { position: 7, highWatermark: 9 };

test("after a fetch that brought all that there was, the next one is put off until a while after its beginning", () => {
  const { clock, turns: one } = turns();
  one.begun("1");
  clock.advance(2);
  one.answered("1", [ALL, ALL]);

  expect(one.pauseMs("1")).toBe(FETCH_EVERY_MS - 2);

  clock.advance(FETCH_EVERY_MS);
  expect(one.pauseMs("1")).toBe(0);
});

test("nothing is put off if there is more of any partition", () => {
  const { turns: one } = turns();
  one.begun("1");

  one.answered("1", [ALL, SOME]);

  expect(one.pauseMs("1")).toBe(0);
});

test("nothing is put off after a fetch that failed or asked for no partition, nor because of another broker", () => {
  const { turns: one } = turns();
  expect(one.pauseMs("1")).toBe(0);
  one.begun("1");
  one.answered("1", [ALL]);
  expect(one.pauseMs("2")).toBe(0);

  one.begun("1");
  one.answered("1", []);

  expect(one.pauseMs("1")).toBe(0);
});

test("a broker may keep a fetch for the longest wait, and for a short one while a partition is left out", () => {
  const { turns: one } = turns(250);

  expect(one.waitMs(false)).toBe(250);
  expect(one.waitMs(true)).toBe(SHORT_WAIT_MS);
  expect(turns(20).turns.waitMs(true)).toBe(20);
});
