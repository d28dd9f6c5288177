import { expect, test } from "@jest/globals";
import { exactDuration, readDuration } from "./durations.ts";

test.each([
  [15_000, "15s"],
  [90_000, "90s"],
  [300_000, "5m"],
  [259_200_000, "3d"],
  [1_250, "1250ms"],
  [0, "0s"],
])("%d ms are written as %s, and read as the same", (ms, text) => {
  expect(exactDuration(ms)).toBe(text);
  expect(readDuration(text)).toBe(ms);
});

test.each([
  ["1.5h", 5_400_000],
  ["5 min", 300_000],
  ["15", null],
  ["soon", null],
  ["-5s", null],
])("%j is read as %j", (text, ms) => {
  expect(readDuration(text)).toBe(ms);
});
