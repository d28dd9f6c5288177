import { expect, test } from "@jest/globals";
import type { Replay } from "@postrider/core";
import { aReplay } from "../../fixtures/a-replay.ts";
import { Standstill } from "./standstill.ts";

const PLACE = {
  tenantId: "acme",
  receivedAt: 1,
  eventId: "evt_1",
  endpointId: "ep_1",
};
const ONE = aReplay({ id: "rpl_1", state: "running", createdAt: 1 });

/** What is told at each of these moments, ms. */
function told(...moments: readonly [now: number, all: readonly Replay[]][]) {
  const standstill = new Standstill();
  return moments.map(([now, all]) => standstill.longestMs(all, now));
}

test("a replay stands still from when it was first seen at its place", () => {
  const on = { ...ONE, place: PLACE };

  expect(
    told([0, [ONE]], [500, [ONE]], [900, [on]], [1_000, [on]], [1_500, [on]]),
  ).toEqual([0, 500, 0, 100, 600]);
});

test("what is paused or has ended does not stand still, and begins anew where it goes on", () => {
  expect(
    told(
      [0, [ONE]],
      [100, [{ ...ONE, state: "paused" }]],
      [200, [ONE]],
      [300, [ONE]],
      [400, [{ ...ONE, state: "done" }]],
    ),
  ).toEqual([0, 0, 0, 100, 0]);
});

test("one that waits for another that runs does not stand still; for one that is paused it does", () => {
  const later = aReplay({ id: "rpl_2", state: "running", createdAt: 2 });
  const on = { ...ONE, place: PLACE };
  const paused: Replay = { ...ONE, state: "paused" };

  expect(told([0, [ONE, later]], [500, [on, later]])).toEqual([0, 0]);
  expect(told([0, [paused, later]], [500, [paused, later]])).toEqual([0, 500]);
});
