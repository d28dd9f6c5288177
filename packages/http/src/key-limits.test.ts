import { expect, test } from "@jest/globals";
import { KeyLimits } from "./key-limits.ts";

const LIMIT = { perSecond: 4, burst: 2 };

test("a burst passes, the next waits as long as one takes, and then one passes", () => {
  const limits = new KeyLimits();

  const waits = [0, 0, 0, 249, 250, 250].map((now) =>
    limits.take("k", LIMIT, now),
  );

  expect(waits).toEqual([0, 0, 250, 1, 0, 250]);
});

test("what was refused counts for nothing: a key that keeps asking is not kept out for longer", () => {
  const limits = new KeyLimits();
  limits.take("k", { perSecond: 1, burst: 1 }, 0);
  for (let now = 1; now < 1_000; now += 1)
    limits.take("k", { perSecond: 1, burst: 1 }, now);

  expect(limits.take("k", { perSecond: 1, burst: 1 }, 1_000)).toBe(0);
});

test("however odd the rate, exactly the burst passes at once, and exactly the rate after that", () => {
  const limit = { perSecond: 7, burst: 50 };
  const limits = new KeyLimits();
  const passed = (now: number): number =>
    Array.from({ length: 100 }, () => limits.take("k", limit, now)).filter(
      (waitMs) => waitMs === 0,
    ).length;

  expect(passed(12_345.678)).toBe(50);
  expect(passed(13_345.678)).toBe(7);
});

test("one key's requests take nothing of another's", () => {
  const limits = new KeyLimits();
  limits.take("a", LIMIT, 0);
  limits.take("a", LIMIT, 0);

  expect(limits.take("a", LIMIT, 0)).toBeGreaterThan(0);
  expect(limits.take("b", LIMIT, 0)).toBe(0);
});

test("buckets that are full again are forgotten, the others are not", () => {
  const limits = new KeyLimits();
  for (let n = 0; n < 1_000; n += 1) limits.take(`idle ${n}`, LIMIT, 70_000);
  limits.take("busy", { perSecond: 0.001, burst: 1 }, 70_000);

  limits.take("next", LIMIT, 140_000);

  expect(limits.size).toBe(2);
  expect(
    limits.take("busy", { perSecond: 0.001, burst: 1 }, 140_000),
  ).toBeGreaterThan(0);
});
