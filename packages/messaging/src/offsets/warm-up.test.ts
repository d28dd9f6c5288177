import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { warmUpStart } from "./warm-up.ts";

const NOW = 1_800_000_000_000;
const WARM_UP_MS = 40_000;

/** A log from offset 0 on; the times at which its records were written, ascending. */
function asked(times: readonly number[], base: number, now = NOW) {
  const questions: number[] = [];
  const start = warmUpStart({
    base,
    log: { topic: "t", partition: 0, start: 0, end: times.length },
    warmUpMs: WARM_UP_MS,
    now,
    offsetAt: async (at) => {
      questions.push(at);
      const found = times.findIndex((time) => time >= at);
      return found === -1 ? null : found;
    },
  });
  return { start, questions };
}

/** One record a second; the last one was written so long ago. */
const log = (count: number, lastAgoMs: number): number[] =>
  Array.from({ length: count }, (_, n) => NOW - lastAgoMs - (count - n) * 1000);

test("where the whole log is read, the records of the last `warmUpMs` before its last record are read again", async () => {
  const { start, questions } = asked(log(1000, 0), 1000);

  expect(await start).toBe(950);
  expect(questions).toHaveLength(2);
});

test.each([
  ["an hour ahead", 3_600_000],
  ["ten minutes short", -600_000],
])(
  "a clock that is %s of the log costs nothing of what is remembered",
  async (_, aheadMs) => {
    const { start } = asked(log(1000, 0), 1000, NOW + aheadMs);

    expect(await start).toBeLessThanOrEqual(960);
  },
);

test("where the whole log is read and was written long ago, the broker is asked little, and the time before the last record is read again", async () => {
  const { start, questions } = asked(log(1000, 3_600_000), 1000);

  expect(await start).toBeGreaterThanOrEqual(940);
  expect(await start).toBeLessThanOrEqual(960);
  expect(questions.length).toBeLessThan(20);
});

test("for a group that lags by a session timeout two questions to the broker are enough", async () => {
  // The base was written 9 s ago.
  const { start, questions } = asked(log(1000, 0), 991);

  expect(await start).toBe(950);
  expect(questions).toHaveLength(2);
});

test("an empty log, and one that is younger than the time, are read from their start", async () => {
  expect(await asked([], 0).start).toBe(0);
  expect(await asked(log(10, 0), 10).start).toBe(0);
});

test("however far the group lags, all records written within `warmUpMs` before the base are read again, and few more", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 100 }),
      fc.integer({ min: 0, max: 7 * 86_400_000 }),
      fc.nat(100),
      async (gaps, lastAgoMs, at) => {
        let time = NOW - lastAgoMs - gaps.reduce((a, b) => a + b, 0);
        const times = gaps.map((gap) => (time += gap));
        const base = Math.min(at, times.length);

        const { start, questions } = asked(times, base);
        const from = await start;

        const next = times[base] ?? times.at(-1) ?? NOW;
        for (const [offset, written] of times.slice(0, base).entries()) {
          if (written >= next - WARM_UP_MS)
            expect(offset).toBeGreaterThanOrEqual(from);
          if (written < next - WARM_UP_MS * 1.5)
            expect(offset).toBeLessThan(from);
        }
        expect(questions.length).toBeLessThan(40);
      },
    ),
  );
});

test("a log whose times are all 0 is read from its start", async () => {
  expect(await asked([0, 0, 0], 2).start).toBe(0);
});
