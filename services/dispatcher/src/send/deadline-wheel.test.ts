import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { DeadlineWheel, type Deadline } from "./deadline-wheel.ts";

interface Probe extends Deadline {
  expiredAt: number | null;
}

function aClock() {
  const clock = { nowMs: 1_000_003, monotonic: () => clock.nowMs };
  return clock;
}

function aProbe(clock: { nowMs: number }): Probe {
  const probe: Probe = {
    dueAt: 0,
    wheelBucket: -1,
    wheelPrevious: null,
    wheelNext: null,
    expiredAt: null,
    onDeadline: () => {
      if (probe.expiredAt !== null) throw new Error("expired twice");
      probe.expiredAt = clock.nowMs;
    },
  };
  return probe;
}

test("a deadline never expires early, and late by at most the gap between turns and one tick", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          timeoutMs: fc.integer({ min: 0, max: 700 }),
          isRemoved: fc.boolean(),
          advanceMs: fc.integer({ min: 0, max: 90 }),
        }),
        { minLength: 1, maxLength: 60 },
      ),
      (steps) => {
        const clock = aClock();
        const wheel = new DeadlineWheel(clock, { tickMs: 10, buckets: 16 });
        const live: Probe[] = [];
        const removed: Probe[] = [];

        for (const step of steps) {
          const probe = aProbe(clock);
          wheel.add(probe, clock.nowMs + step.timeoutMs);
          if (step.isRemoved) {
            wheel.remove(probe);
            removed.push(probe);
          } else live.push(probe);
          clock.nowMs += step.advanceMs;
          wheel.turn();
        }
        for (let turn = 0; turn < 80; turn += 1) {
          clock.nowMs += 10;
          wheel.turn();
        }
        wheel.stop();

        for (const probe of live) {
          expect(probe.expiredAt).not.toBeNull();
          const lateMs = (probe.expiredAt ?? 0) - probe.dueAt;
          expect(lateMs).toBeGreaterThanOrEqual(0);
          expect(lateMs).toBeLessThanOrEqual(90 + 20);
        }
        for (const probe of removed) expect(probe.expiredAt).toBeNull();
        expect(wheel.size).toBe(0);
      },
    ),
  );
});

test("a deadline longer than one round of the wheel waits for its own round", () => {
  const clock = aClock();
  const wheel = new DeadlineWheel(clock, { tickMs: 10, buckets: 8 });
  const probe = aProbe(clock);
  wheel.add(probe, clock.nowMs + 500);

  for (let turn = 0; turn < 49; turn += 1) {
    clock.nowMs += 10;
    wheel.turn();
  }
  expect(probe.expiredAt).toBeNull();

  clock.nowMs += 20;
  wheel.turn();
  expect(probe.expiredAt).toBe(clock.nowMs);
});

test("a deadline removed by another one's expiry in the same turn does not expire", () => {
  const clock = aClock();
  const wheel = new DeadlineWheel(clock, { tickMs: 10, buckets: 8 });
  const second = aProbe(clock);
  const first = aProbe(clock);
  first.onDeadline = () => wheel.remove(second);
  second.onDeadline = () => {
    throw new Error("removed, and still expired");
  };
  wheel.add(second, clock.nowMs + 10);
  wheel.add(first, clock.nowMs + 10);

  clock.nowMs += 30;
  const expire = () => wheel.turn();

  // Whichever is first in the bucket expires; here that is `first`.
  expect(expire).not.toThrow();
  expect(wheel.size).toBe(0);
});

test("the timer runs only while a deadline is linked", () => {
  const clock = aClock();
  const wheel = new DeadlineWheel(clock);
  const timersBefore = process
    .getActiveResourcesInfo()
    .filter((name) => name === "Timeout").length;
  const probe = aProbe(clock);

  wheel.add(probe, clock.nowMs + 1_000);
  const timersWhile = process
    .getActiveResourcesInfo()
    .filter((name) => name === "Timeout").length;
  clock.nowMs += 1_020;
  wheel.turn();
  const timersAfter = process
    .getActiveResourcesInfo()
    .filter((name) => name === "Timeout").length;

  expect(timersWhile).toBe(timersBefore + 1);
  expect(timersAfter).toBe(timersBefore);
});
