import { expect, test } from "@jest/globals";
import { sleep } from "./sleep.ts";
import { LATE, answerWithin, within } from "./within.ts";

const never = new Promise<string>(() => undefined);
const timers = () =>
  process.getActiveResourcesInfo().filter((what) => what === "Timeout").length;

test("a value that comes in time is returned, and no timer is left", async () => {
  const before = timers();

  expect(await within(Promise.resolve("in time"), 60_000)).toBe("in time");
  await expect(within(Promise.reject(new Error("no")), 60_000)).rejects.toThrow(
    "no",
  );

  expect(timers()).toBe(before);
});

test.each([1, 0, -5])(
  "a promise that never settles is LATE after %p ms",
  async (ms) => {
    expect(await within(never, ms)).toBe(LATE);
  },
);

test.each([Infinity, 2 ** 31, Number.MAX_SAFE_INTEGER])(
  "%p ms is a long wait, not an immediate one",
  async (ms) => {
    const soon = new Promise((resolve) => setImmediate(resolve, "in time"));

    expect(await within(soon, ms)).toBe("in time");
  },
);

test("a rejection that comes late is not an unhandled rejection", async () => {
  const unhandled: unknown[] = [];
  const note = (error: unknown) => void unhandled.push(error);
  process.on("unhandledRejection", note);
  const work = Promise.withResolvers<void>();

  expect(await within(work.promise, 0)).toBe(LATE);
  work.reject(new Error("late"));
  await new Promise(setImmediate);
  process.off("unhandledRejection", note);

  expect(unhandled).toEqual([]);
});

test("a sleep ends at once when its signal is aborted, before or meanwhile", async () => {
  const before = timers();
  const ended = new AbortController();

  const asleep = sleep(60_000, { signal: ended.signal });
  ended.abort();
  await asleep;
  await sleep(60_000, { signal: ended.signal });

  expect(timers()).toBe(before);
});

test.each([Infinity, 2 ** 31])(
  "a sleep of %p ms is a long one, not none",
  async (ms) => {
    const ended = new AbortController();
    const asleep = sleep(ms, ended).then(() => "slept");
    const later = sleep(20).then(() => "later"); // a sleep of no length has ended by then

    expect(await Promise.race([asleep, later])).toBe("later");
    ended.abort();
    await asleep;
  },
);

test("a sleep without a signal ends by itself", async () => {
  await sleep(1);
});

test("whoever can go on without an answer gets null where there is none in time, or an error", async () => {
  expect(await answerWithin(Promise.resolve("yes"), 60_000)).toBe("yes");
  expect(await answerWithin(never, 0)).toBeNull();
  expect(
    await answerWithin(Promise.reject(new Error("no")), 60_000),
  ).toBeNull();
});
