import { expect, test } from "@jest/globals";
import { actionWords, changesOf } from "./audit-changes.ts";

test("each field that changed has what it was and what it is", () => {
  expect(
    changesOf(
      JSON.stringify({
        timeoutMs: { from: 15_000, to: 5_000 },
        filter: { to: "payload.total > 5" },
        description: { from: "old" },
        headers: { from: ["x-a"], to: ["x-a", "x-b"], changed: ["x-a"] },
      }),
    ),
  ).toEqual([
    { field: "timeoutMs", before: "15000", after: "5000", more: null },
    { field: "filter", before: null, after: "payload.total > 5", more: null },
    { field: "description", before: "old", after: null, more: null },
    {
      field: "headers",
      before: '["x-a"]',
      after: '["x-a","x-b"]',
      more: 'changed: ["x-a"]',
    },
  ]);
});

test("what is no change of a field is a value", () => {
  expect(changesOf('{"sent":3,"leftOut":{},"from":"x"}')).toEqual([
    { field: "sent", before: null, after: "3", more: null },
    { field: "leftOut", before: null, after: "{}", more: null },
    { field: "from", before: null, after: "x", more: null },
  ]);
});

test("numbers keep every digit", () => {
  expect(
    changesOf(
      '{"example":{"from":{"id":9007199254740993},"to":18446744073709551615},"sent":9007199254740995}',
    ),
  ).toMatchObject([
    { before: '{"id":9007199254740993}', after: "18446744073709551615" },
    { after: "9007199254740995" },
  ]);
});

test.each([[null], ["null"], ['"a text"'], ["[1]"]])(
  "a detail without fields has no changes: %j",
  (detail) => {
    expect(changesOf(detail)).toEqual([]);
  },
);

test("an action is told with what it was done to", () => {
  expect(actionWords({ subject: "event_type", action: "secret_rotated" })).toBe(
    "Event type: secret rotated",
  );
});
