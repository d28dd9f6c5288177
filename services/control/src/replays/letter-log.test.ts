import { expect, test } from "@jest/globals";
import type { Consumer } from "@postrider/messaging";
import { openLetterLog } from "./letter-log.ts";

/** A log of the offsets from `start` to below `end`. */
async function aLog(start: number, end: number) {
  const place = { topic: "dead-letters", partition: 0 };
  const consumer: Partial<Consumer> = {
    start: async () => {},
    stop: async () => {},
    fetchLogRanges: async () => [{ ...place, start, end }],
    async fetchOnce(_place, offset) {
      if (offset < start || offset > end)
        throw Object.assign(new Error("out of range"), {
          type: "OFFSET_OUT_OF_RANGE",
        });
      if (offset === end) return null;
      const record = {
        ...place,
        offset,
        timestamp: 0,
        key: null,
        value: null,
        headers: {},
      };
      return {
        ...place,
        fetchOffset: offset,
        records: [record],
        lastOffset: offset,
        highWatermark: end,
      };
    },
  };
  return await openLetterLog({
    kafka: { consumer: () => consumer as Consumer }, // it uses no more of it
    topic: "dead-letters",
    sessionTimeoutMs: 1_000,
    signal: new AbortController().signal,
  });
}

test.each([
  ["that retention has removed", 4],
  ["at the end of a topic that was made anew", 9],
  ["beyond the end of a topic that was made anew", 12],
])("a dead letter %s is gone", async (_which, offset) => {
  const log = await aLog(5, 9);

  expect(await log.read({ partition: 0, offset })).toBeNull();
  expect(await log.read({ partition: 0, offset: 8 })).toMatchObject({
    offset: 8,
  });
});
