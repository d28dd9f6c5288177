import { getEventListeners } from "node:events";
import { setImmediate } from "node:timers/promises";
import { expect, test } from "@jest/globals";
import type { Consumer } from "@postrider/messaging";
import { openLetterLog } from "./letter-log.ts";

/** A log of the offsets from `start` to below `end`. A fetch of 64 KiB brings one letter, or `letters` of them. */
async function aLog(start: number, end: number, letters = 1) {
  const place = { topic: "dead-letters", partition: 0 };
  const fetches: { readonly offset: number; readonly maxBytes: number }[] = [];
  const state = {
    isStopped: false,
    /** What all letters are parts of, as they are of the broker's answer. */
    answer: Buffer.alloc(100_000, "x"),
    valueBytes: 10,
    beforeFetch: async (): Promise<void> => {},
  };
  const consumer: Partial<Consumer> = {
    start: async () => {},
    stop: async () => void (state.isStopped = true),
    fetchLogRanges: async () => [{ ...place, start, end }],
    async fetchOnce(_place, offset, maxBytes) {
      fetches.push({ offset, maxBytes });
      await state.beforeFetch();
      if (state.isStopped) throw new Error("fetched after the stop");
      if (offset < start || offset > end)
        throw Object.assign(new Error("out of range"), {
          type: "OFFSET_OUT_OF_RANGE",
        });
      if (offset === end) return null;
      const count = Math.min((letters * maxBytes) / 65_536, end - offset);
      return {
        ...place,
        fetchOffset: offset,
        records: Array.from({ length: count }, (_, n) => ({
          ...place,
          offset: offset + n,
          timestamp: 0,
          key: state.answer.subarray(0, 10),
          value: state.answer.subarray(10, 10 + state.valueBytes),
          headers: {
            one: state.answer.subarray(20, 30),
            two: [state.answer.subarray(30, 40)],
          },
        })),
        lastOffset: offset + count - 1,
        highWatermark: end,
      };
    },
  };
  const { signal } = new AbortController();
  const log = await openLetterLog({
    kafka: { consumer: () => consumer as Consumer }, // it uses no more of it
    topic: "dead-letters",
    sessionTimeoutMs: 1_000,
    signal,
  });
  const read = async (offset: number) =>
    (await log.read({ partition: 0, offset }))?.offset ?? null;
  return { log, state, read, fetches, signal };
}

test.each([
  ["that retention has removed", 4],
  ["at the end of a topic that was made anew", 9],
  ["beyond the end of a topic that was made anew", 12],
])("a dead letter %s is gone", async (_which, offset) => {
  const { read } = await aLog(5, 9);

  expect(await read(offset)).toBeNull();
  expect(await read(8)).toBe(8);
});

test("neighbours that are asked for at the same time are fetched once", async () => {
  const { read, fetches } = await aLog(0, 100, 10);

  const found = await Promise.all([3, 4, 5, 12, 7].map(read));

  expect(found).toEqual([3, 4, 5, 12, 7]);
  expect(fetches.map(({ offset }) => offset)).toEqual([3]);
});

test("letters that follow each other are fetched in fewer and fewer requests, and one far away with a small one", async () => {
  const { read, fetches } = await aLog(0, 10_000, 10);

  for (let offset = 0; offset < 400; offset++)
    expect(await read(offset)).toBe(offset);
  expect(await read(9_000)).toBe(9_000);

  expect(fetches.map(({ maxBytes }) => maxBytes / 65_536)).toEqual([
    1, 2, 4, 8, 8, 8, 8, 8, 1,
  ]);
});

test("letters of two stretches of the log, in turn, are not fetched again and again", async () => {
  const { read, fetches } = await aLog(0, 10_000, 10);

  for (let n = 0; n < 30; n++)
    expect([await read(n), await read(5_000 + n)]).toEqual([n, 5_000 + n]);

  expect(fetches).toHaveLength(4);
});

test("one that is gone keeps nobody from those that are asked for after it", async () => {
  const { read } = await aLog(5, 9);

  const [gone, found] = await Promise.all([read(2), read(6)]);

  expect([gone, found]).toEqual([null, 6]);
});

test("a letter keeps nothing of its fetch in memory but its own bytes", async () => {
  const { log, state } = await aLog(0, 100, 10);

  const letter = await log.read({ partition: 0, offset: 3 });

  const { key, value, headers } = letter!;
  const parts = [key, value, ...Object.values(headers)].flat() as Buffer[]; // none of them is null
  expect(parts.map(String)).toEqual(Array(4).fill("xxxxxxxxxx"));
  expect(parts.filter(({ buffer }) => buffer === state.answer.buffer)).toEqual(
    [],
  );
});

test("a stop waits for the fetch that is under way, and no other one begins", async () => {
  const { log, state, read, fetches } = await aLog(0, 100);
  const slow = Promise.withResolvers<void>();
  state.beforeFetch = () => slow.promise;

  const reads = Promise.allSettled([read(1), read(50)]);
  await setImmediate();
  const stopped = log.stop();
  await setImmediate();
  expect(state.isStopped).toBe(false);
  slow.resolve();
  await stopped;

  expect(await reads).toMatchObject([
    { value: 1 },
    { reason: new Error("dead-letters is not read any more.") },
  ]);
  await expect(read(70)).rejects.toThrow("not read any more");
  expect(fetches.map(({ offset }) => offset)).toEqual([1]);
});

test("of large letters only so many are kept as have 8 MiB together, or the newest one", async () => {
  const { state, read, fetches } = await aLog(0, 100);
  state.answer = Buffer.alloc(10 << 20);
  state.valueBytes = 3 << 20;

  for (const offset of [0, 10, 20, 20, 10]) await read(offset);
  expect(fetches).toHaveLength(3);
  await read(0);
  expect(fetches).toHaveLength(4);

  state.valueBytes = 9 << 20;
  for (const offset of [40, 40, 20]) await read(offset);
  expect(fetches.slice(4).map(({ offset }) => offset)).toEqual([40, 20]);
});

test("a log that was opened leaves nothing at its signal, which may live for days", async () => {
  const { log, signal } = await aLog(0, 1);

  expect(getEventListeners(signal, "abort")).toEqual([]);
  await log.stop();
});
