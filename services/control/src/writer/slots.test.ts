import { expect, test } from "@jest/globals";
import { createSlots } from "./slots.ts";

test("work waits in order for room, and the one that runs sees that it is waited for", async () => {
  const inSlot = createSlots(1);
  const { signal } = new AbortController();
  const held = Promise.withResolvers<void>();
  const seen: unknown[] = [];

  const first = inSlot(async (isWanted) => {
    await held.promise;
    seen.push(isWanted());
  }, signal);
  const second = inSlot(async () => void seen.push("second"), signal);
  const third = inSlot(async (isWanted) => void seen.push(isWanted()), signal);
  held.resolve();
  await Promise.all([first, second, third]);

  expect(seen).toEqual([true, "second", false]);
});

test("what waits leaves the queue when its signal is aborted, and the next one gets its room", async () => {
  const inSlot = createSlots(1);
  const stays = new AbortController().signal;
  const leaves = new AbortController();
  const held = Promise.withResolvers<void>();
  const first = inSlot(() => held.promise, stays);
  const second = inSlot(async () => "second", leaves.signal);
  const third = inSlot(async () => "third", stays);

  leaves.abort(new Error("the tenure is over"));
  await expect(second).rejects.toThrow("the tenure is over");
  held.resolve();
  await first;

  expect(await third).toBe("third");
  expect(await inSlot(async () => "again", stays)).toBe("again");
});
