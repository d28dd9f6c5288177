import { expect, test } from "@jest/globals";
import { msLeft, paceOf, withReading, type Reading } from "./pace.ts";

const after = (...readings: readonly Reading[]): readonly Reading[] =>
  readings.reduce<readonly Reading[]>(withReading, []);

test("the pace is that from the first reading to the last", () => {
  const readings = after(
    { at: 0, done: 10 },
    { at: 1_000, done: 10 },
    { at: 2_000, done: 50 },
  );

  expect(paceOf(readings)).toBe(20);
  expect(msLeft(100, 20)).toBe(5_000);
});

test("old readings are forgotten, so the pace follows", () => {
  const readings = after(
    { at: 0, done: 0 },
    { at: 40_000, done: 1_000 },
    { at: 41_000, done: 1_002 },
  );

  expect(paceOf(readings)).toBe(2);
});

test("one answer, and one that was there already, tell no pace; a standstill has no end", () => {
  expect(paceOf(after({ at: 5, done: 3 }))).toBeNull();
  expect(paceOf(after({ at: 5, done: 3 }, { at: 5, done: 3 }))).toBeNull();
  expect(msLeft(7, 0)).toBeNull();
  expect(msLeft(7, null)).toBeNull();
});
