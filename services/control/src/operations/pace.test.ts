import { expect, test } from "@jest/globals";
import { systemClock } from "@postrider/runtime";
import { createPace } from "./pace.ts";

test("turns come in the order in which they are asked for, and no faster than the pace", async () => {
  const pace = createPace(100, systemClock);
  const { signal } = new AbortController();
  const order: number[] = [];
  const since = performance.now();

  await Promise.all(
    [0, 1, 2, 3].map(async (n) => {
      await pace(signal);
      order.push(n);
    }),
  );

  expect(order).toEqual([0, 1, 2, 3]);
  expect(performance.now() - since).toBeGreaterThanOrEqual(28);
});

test("who waits is turned away when the signal is aborted, and others go on", async () => {
  const pace = createPace(0.001, systemClock);
  const leaves = new AbortController();
  await pace(leaves.signal);
  const turns = [pace(leaves.signal), pace(leaves.signal)];

  leaves.abort(new Error("the tenure is over"));

  for (const turn of turns) await expect(turn).rejects.toThrow("is over");
});
