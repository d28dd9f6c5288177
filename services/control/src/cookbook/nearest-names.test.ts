import { expect, test } from "@jest/globals";
import { nearestNames } from "./nearest-names.ts";

const NAMES = ["worst-endpoints", "endpoint-health", "dead-letters", "traffic"];

test.each([
  ["worst-endpoint", "worst-endpoints"],
  ["wurst-endpoints", "worst-endpoints"],
  ["deadletters", "dead-letters"],
  ["Traffic", "traffic"],
  ["health", "endpoint-health"],
  ["letters_dead", "dead-letters"],
])("%s is near %s", (wrong, right) => {
  expect(nearestNames(wrong, NAMES)[0]).toBe(right);
});

test.each(["", "xyzzy", "-", "a".repeat(5_000)])("%j is near none", (wrong) => {
  expect(nearestNames(wrong, NAMES)).toEqual([]);
});
