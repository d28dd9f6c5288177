import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { FURTHEST_SLOT_MS } from "@postrider/messaging";
import { VirtualClock } from "./virtual-clock.ts";

test("slots follow each other from the time wanted on, and what has no room within five minutes gets the furthest", () => {
  const clock = new VirtualClock();

  const slots = Array.from({ length: 4 }, () =>
    clock.reserve({ now: 1_000, from: 3_000, stepMs: 120_000 }),
  );

  expect(slots).toEqual([3_000, 123_000, 243_000, 301_000]);
});

test("a later request gets a slot behind those that are taken, unless it wants a later one", () => {
  const clock = new VirtualClock();
  clock.reserve({ now: 0, from: 10_000, stepMs: 1_000 });

  expect(clock.reserve({ now: 0, from: 5_000, stepMs: 20 })).toBe(11_000);
  expect(clock.reserve({ now: 0, from: 20_000, stepMs: 20 })).toBe(20_000);
  expect([clock.hasReserved(20_019), clock.hasReserved(20_020)]).toEqual([
    true,
    false,
  ]);
});

test("no slot is before the time wanted or over five minutes away, and none is before an earlier one", () => {
  const requests = fc.array(
    fc.record({
      passedMs: fc.nat(10_000),
      aheadMs: fc.nat(FURTHEST_SLOT_MS),
      stepMs: fc.nat(5_000),
    }),
  );
  fc.assert(
    fc.property(requests, (all) => {
      const clock = new VirtualClock();
      let now = 0;
      let last = 0;
      for (const { passedMs, aheadMs, stepMs } of all) {
        now += passedMs;
        const slot = clock.reserve({ now, from: now + aheadMs, stepMs });
        expect(slot).toBeGreaterThanOrEqual(now + aheadMs);
        expect(slot).toBeLessThanOrEqual(now + FURTHEST_SLOT_MS);
        expect(slot).toBeGreaterThanOrEqual(Math.min(last, slot));
        last = slot;
      }
    }),
  );
});
