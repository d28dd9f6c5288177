import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { RateLimits } from "./rate-limits.ts";

function limited(perSecond: number, burst: number) {
  const clock = { at: 0, monotonic: () => clock.at };
  const limits = new RateLimits(clock);
  const endpoint = { id: "ep", rateLimit: { perSecond, burst } };
  const start = (): boolean => {
    const nextStartAt = limits.limitOf(endpoint)?.nextStartAt() ?? 0;
    if (nextStartAt > clock.at) return false;
    limits.started("ep");
    return true;
  };
  return { clock, limits, endpoint, start };
}

test("a burst may start at once, and then one attempt a step", () => {
  const { clock, limits, endpoint, start } = limited(10, 3);

  expect([start(), start(), start(), start()]).toEqual([
    true,
    true,
    true,
    false,
  ]);
  expect(limits.limitOf(endpoint)?.nextStartAt()).toBe(100);
  clock.at = 99;
  expect(start()).toBe(false);
  clock.at = 100;
  expect([start(), start()]).toEqual([true, false]);
  clock.at = 10_000;
  expect([start(), start(), start(), start()]).toEqual([
    true,
    true,
    true,
    false,
  ]);
});

test("in no stretch of time do more attempts start than the rate and one burst allow, and none waits longer than it must", () => {
  const steps = fc.array(fc.integer({ min: 0, max: 500 }), { maxLength: 200 });
  const rate = fc.integer({ min: 1, max: 50 });
  fc.assert(
    fc.property(steps, rate, fc.integer({ min: 1, max: 20 }), (...of) => {
      const [waits, perSecond, burst] = of;
      const { clock, start } = limited(perSecond, burst);
      const startedAt: number[] = [];
      for (const wait of waits) {
        clock.at += wait;
        while (start()) startedAt.push(clock.at);
      }
      for (const [first, from] of startedAt.entries())
        for (const [last, to] of startedAt.entries()) {
          const allowed = ((to - from) * perSecond) / 1_000 + burst;
          if (last >= first)
            expect(last - first + 1).toBeLessThanOrEqual(allowed + 1e-6);
        }
    }),
  );
});

test("after a change as many starts are used up as before, in steps of the new rate", () => {
  const { limits, endpoint, start } = limited(1, 1);
  start();

  endpoint.rateLimit = { perSecond: 100, burst: 1 };
  expect(limits.limitOf(endpoint)?.nextStartAt()).toBe(10);
  expect(limits.limitOf({ id: "ep", rateLimit: null })).toBeUndefined();
});

test("a raised limit does not wait for a burst that was used up at the old rate, and a lowered one gives no second burst", () => {
  const raised = limited(1 / 60, 60);
  while (raised.start());
  raised.endpoint.rateLimit = { perSecond: 100, burst: 100 };
  const next = raised.limits.limitOf(raised.endpoint)?.nextStartAt();
  expect(next).toBeLessThanOrEqual(0);

  const lowered = limited(100, 100);
  while (lowered.start());
  lowered.endpoint.rateLimit = { perSecond: 1, burst: 100 };
  expect(lowered.start()).toBe(false);
});

test("what is sent while there is no limit does not count when there is one again", () => {
  const { limits, endpoint, start } = limited(1, 1);
  start();

  limits.limitOf({ id: "ep", rateLimit: null });
  for (let n = 0; n < 1_000; n++) limits.started("ep");

  expect(limits.limitOf(endpoint)?.nextStartAt()).toBeLessThanOrEqual(0);
});

test("an attempt that was not made does not count", () => {
  const { limits, start } = limited(1, 1);
  start();

  limits.notSent("ep");

  expect(start()).toBe(true);
});

test("limits of endpoints that have sent nothing lately are forgotten, and no others", () => {
  const { clock, limits, endpoint, start } = limited(0.01, 1);
  const idle = { id: "idle", rateLimit: { perSecond: 1, burst: 1 } };
  limits.limitOf(idle);
  limits.started("idle");
  start();

  clock.at = 70_000;
  limits.limitOf({ ...idle, id: "new" });

  expect(limits.size).toBe(2);
  expect(limits.limitOf(endpoint)?.nextStartAt()).toBe(100_000);
});
