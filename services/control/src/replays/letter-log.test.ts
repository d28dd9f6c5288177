import { expect, test } from "@jest/globals";
import type { Consumer } from "@postrider/messaging";
import { openLetterLog } from "./letter-log.ts";

/** A log of the offsets from `start` to below `end`. A fetch of 64 KiB brings one letter, or `letters` of them. */
async function aLog(start: number, end: number, letters = 1) {
  const place = { topic: "dead-letters", partition: 0 };
  const fetches: { readonly offset: number; readonly maxBytes: number }[] = [];
  const consumer: Partial<Consumer> = {
    start: async () => {},
    stop: async () => {},
    fetchLogRanges: async () => [{ ...place, start, end }],
    async fetchOnce(_place, offset, maxBytes) {
      fetches.push({ offset, maxBytes });
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
          key: null,
          value: null,
          headers: {},
        })),
        lastOffset: offset + count - 1,
        highWatermark: end,
      };
    },
  };
  const log = await openLetterLog({
    kafka: { consumer: () => consumer as Consumer }, // it uses no more of it
    topic: "dead-letters",
    sessionTimeoutMs: 1_000,
    signal: new AbortController().signal,
  });
  const read = async (offset: number) =>
    (await log.read({ partition: 0, offset }))?.offset ?? null;
  return { read, fetches };
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
