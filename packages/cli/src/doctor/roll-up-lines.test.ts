import { expect, test } from "@jest/globals";
import type { RollUpVerdict } from "@postrider/core";
import { lossText, repairText, verdictText } from "./roll-up-lines.ts";

const none = { buckets: 0, by: {} };
const differs = (
  fields: Partial<Extract<RollUpVerdict, { kind: "differs" }>>,
): RollUpVerdict => ({
  kind: "differs",
  attempts: 8_368,
  counted: 8_024,
  short: none,
  over: none,
  ...fields,
});
const short = differs({
  short: { buckets: 12, by: { attempts: 344, delivered: 340 } },
});

test.each([
  [{ kind: "equal", attempts: 1 }, "equal: 1 attempt"],
  [short, "short by 344 attempts in 12 buckets (attempts has 8368)"],
  [
    differs({
      short: { buckets: 1, by: { delivered: 3 } },
      over: { buckets: 2, by: { attempts: 5 } },
    }),
    "short by 3 of delivered in 1 bucket; over by 5 attempts in 2 buckets (attempts has 8368)",
  ],
  [
    differs({ short: { buckets: 1, by: {} } }),
    "short by the longest attempt in 1 bucket (attempts has 8368)",
  ],
  [
    { kind: "notJudged", why: "it is too old" },
    "cannot be judged: it is too old",
  ],
] as const satisfies readonly (readonly [RollUpVerdict, string])[])(
  "a verdict in words",
  (verdict, expected) => {
    expect(verdictText(verdict)).toBe(expected);
  },
);

test("a repair says what was and what is, and what it cleaned up", () => {
  const text = repairText({
    kind: "repaired",
    before: short,
    after: { kind: "equal", attempts: 8_368 },
    dropped: ["endpoint_hour_repair_20261127_00c0ffee"],
  });

  expect(text).toBe(
    "repaired: was short by 344 attempts in 12 buckets (attempts has 8368), is equal: 8368 attempts; dropped endpoint_hour_repair_20261127_00c0ffee, left by a run that ended early",
  );
});

test("what --force takes away is said, and only then", () => {
  const of = { day: "2026-11-27", table: "endpoint_hour" } as const;

  expect(lossText(of, short)).toBe(null);
  expect(
    lossText(of, differs({ over: { buckets: 2, by: { attempts: 5 } } })),
  ).toContain(
    "lowers endpoint_hour on 2026-11-27 in 2 buckets, by 5 of attempts",
  );
});
