import { expect, test } from "@jest/globals";
import { counted, shownBytes, shownDuration, shownShare } from "./amounts.ts";

test.each([
  [0, "0 B"],
  [1_023, "1023 B"],
  [1_434, "1.4 KiB"],
  [1_048_576, "1.0 MiB"],
])("%d bytes are %s", (bytes, shown) => {
  expect(shownBytes(bytes)).toBe(shown);
});

test.each([
  [0, "0 ms"],
  [999, "999 ms"],
  [1_000, "1 s"],
  [3_440, "3.4 s"],
  [90_000, "2 min"],
  [7_500_000, "2 h 5 min"],
  [7_200_000, "2 h"],
  [273_600_000, "3 d 4 h"],
])("%d ms are %s", (ms, shown) => {
  expect(shownDuration(ms)).toBe(shown);
});

test("one is not several", () => {
  expect([counted(1, "attempt"), counted(0, "attempt")]).toEqual([
    "1 attempt",
    "0 attempts",
  ]);
});

test.each([
  [0, 7, "0 %"],
  [1, 1_000_000, "0.1 %"],
  [59, 60, "98.3 %"],
  [99_999, 100_000, "99.9 %"],
  [7, 7, "100 %"],
])("%d of %d are %s", (part, whole, shown) => {
  expect(shownShare(part, whole)).toBe(shown);
});
