import { expect, test } from "@jest/globals";
import { madeAfter, NOTHING_MADE, type MadeEvent } from "./made-once.ts";

const made = (value: string) =>
  ({ kind: "made", what: "secret", value, note: "" }) as const;

function after(...events: readonly MadeEvent<string>[]) {
  return events.reduce(madeAfter<string>, NOTHING_MADE);
}

test("two secrets that come at once are shown one after the other, each until it is closed", () => {
  const both = after(
    { kind: "asked" },
    { kind: "asked" },
    made("a"),
    made("b"),
  );

  expect(both).toEqual({ pending: 0, ended: [made("a"), made("b")] });
  expect(after(made("a"), made("b"), { kind: "closed" }).ended).toEqual([
    made("b"),
  ]);
});

test("a failure is kept only where whoever asked is gone", () => {
  const failed = { kind: "failed", what: "token", error: "no" } as const;

  expect(after({ kind: "asked" }, failed)).toEqual({
    pending: 0,
    ended: [failed],
  });
  expect(after({ kind: "asked" }, { kind: "told" })).toEqual(NOTHING_MADE);
});
