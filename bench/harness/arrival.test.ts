import { expect, test } from "@jest/globals";
import { arrivalOf } from "./arrival.ts";

/** Twenty seconds of load, a hundred a second; each event comes so many ms after its time, or does not count. */
function arrivalAfter(msOf: (i: number) => number | null) {
  return arrivalOf({
    perSecond: 100,
    tailMs: 1_000,
    startedAt: 5_000_000,
    seenAt: Array.from({ length: 2_000 }, (_, i) => {
      const ms = msOf(i);
      return ms === null ? ms : 5_000_000 + i * 10_000 + ms * 1_000;
    }),
  });
}

test("events that all come after the same time come at the rate that was meant", () => {
  expect(arrivalAfter(() => 30)).toEqual({
    p50Ms: 30,
    p99Ms: 30,
    rate: 1,
    delivered: 1,
  });
});

test("events that do not count leave no trace", () => {
  const arrival = arrivalAfter((i) => (i < 200 || i % 2 === 0 ? null : 30));

  expect(arrival).toEqual({ p50Ms: 30, p99Ms: 30, rate: 1, delivered: 1 });
});

test("a backlog that grows by a quarter of the time is a rate of four fifths", () => {
  const { rate } = arrivalAfter((i) => 1 + (i * 10) / 4);

  expect(rate).toBeCloseTo(0.8, 5);
});

test("what comes long after the load's end was not delivered in time", () => {
  const { delivered } = arrivalAfter((i) => (i % 20 === 0 ? 60_000 : 1));

  expect(delivered).toBe(0.95);
});

test("an event that came before its time is an error", () => {
  expect(() => arrivalAfter(() => -1)).toThrow(/before/);
});
