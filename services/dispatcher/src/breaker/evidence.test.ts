import { expect, test } from "@jest/globals";
import { OUTCOMES, type Outcome } from "@postrider/core";
import { BUILT_AT } from "@postrider/testkit";
import { evidenceOf, holdMsOf } from "./evidence.ts";

const answered = (statusCode: number, retryAfter: string | null = null) => ({
  outcome: statusCode < 400 ? ("redirect" as const) : ("http_error" as const),
  statusCode,
  retryAfter,
});

test.each([
  [500, null, "failing"],
  [503, "1", "failing"],
  [599, null, "failing"],
  [408, null, "failing"],
  [429, null, "failing"],
  [429, "0", "failing"],
  [429, "1", "busy"],
  [400, null, "refusing"],
  [401, null, "refusing"],
  [404, "1", "refusing"],
  [422, null, "refusing"],
  [302, null, "refusing"],
  [410, null, "none"],
] as const)(
  "an answer %i with Retry-After %s is %s",
  (status, after, shown) => {
    expect(evidenceOf(answered(status, after), BUILT_AT)).toBe(shown);
  },
);

test("an attempt without a status is a failure, unless its address was blocked", () => {
  const shownBy = (outcome: Outcome) =>
    evidenceOf({ outcome, statusCode: null, retryAfter: null }, BUILT_AT);
  const silent = OUTCOMES.filter((outcome) => shownBy(outcome) === "failing");

  expect(shownBy("delivered")).toBe("well");
  expect(shownBy("blocked")).toBe("none");
  expect(silent).toHaveLength(OUTCOMES.length - 2);
});

test.each([
  [429, "30", 30_000],
  [503, "30", 30_000],
  [503, new Date(BUILT_AT + 60_000).toUTCString(), 60_000],
  [429, "86400", 300_000],
  [429, "99999999999", 300_000],
  [429, "-1", 0],
  [429, "soon", 0],
  [429, null, 0],
  [500, "30", 0],
  [404, "30", 0],
])("a %i with Retry-After %s holds the lane for %i ms", (status, after, ms) => {
  expect(holdMsOf(answered(status, after), BUILT_AT)).toBe(ms);
});
