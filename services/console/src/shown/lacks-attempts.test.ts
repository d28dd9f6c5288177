import { expect, test } from "@jest/globals";
import type { AttemptEntry } from "../api/answers.ts";
import { lacksAttempts } from "./lacks-attempts.ts";

const NOW = Date.parse("2026-11-30T12:00:30Z");
const changedAt = "2026-11-30T12:00:00Z";
const attempt = (attemptNumber: number) =>
  ({ kind: "attempt", attemptNumber }) as AttemptEntry; // all that is read of one

test.each([
  ["none of two is there", [], 2, changedAt, true],
  ["one of two is there", [attempt(1)], 2, changedAt, true],
  ["both are there", [attempt(1), attempt(2)], 2, changedAt, false],
  ["there were none", [], 0, changedAt, false],
  ["they are kept no more", [], 2, "2026-11-29T12:00:00Z", false],
  ["nobody knows when it changed", [], 2, null, false],
])("%s", (_, timeline, attempts, at, isLacking) => {
  expect(lacksAttempts({ timeline, attempts, changedAt: at }, NOW)).toBe(
    isLacking,
  );
});
