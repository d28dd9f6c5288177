import { expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  isEventType,
  isTypePattern,
  matchesType,
  patternsOf,
} from "./index.ts";

test.each([
  ["*", "order", true],
  ["*", "order.paid", true],
  ["order.paid", "order.paid", true],
  ["order.paid", "order.paid.late", false],
  ["order.*", "order.paid", true],
  ["order.*", "order.paid.late", true],
  ["order.*", "order", false],
  ["order.*", "orders.paid", false],
  ["order.*", "order.", false],
  ["order.paid", "Order.paid", false],
])("the pattern %s and the type %s: %s", (pattern, type, matches) => {
  expect(matchesType(pattern, type)).toBe(matches);
});

test.each(["order", "order.paid", "order_2.paid-late", "a.b.c.d"])(
  "%s is a type",
  (text) => {
    expect(isEventType(text)).toBe(true);
    expect(isTypePattern(text)).toBe(true);
    expect(isTypePattern(`${text}.*`)).toBe(true);
  },
);

test.each(["", ".", "order.", ".paid", "a..b", "a b", "ö", "a\n", "a.*.b"])(
  "%j is neither a type nor a pattern",
  (text) => {
    expect(isEventType(text)).toBe(false);
    expect(isTypePattern(text)).toBe(false);
  },
);

test("a type matches itself, and its every ancestor with .*", () => {
  const word = fc.stringMatching(/^[a-z0-9_-]{1,5}$/);
  fc.assert(
    fc.property(fc.array(word, { minLength: 2, maxLength: 5 }), (words) => {
      const type = words.join(".");

      expect(matchesType(type, type)).toBe(true);
      for (let depth = 1; depth < words.length; depth++)
        expect(matchesType(`${words.slice(0, depth).join(".")}.*`, type)).toBe(
          true,
        );
    }),
  );
});

test("the patterns of a type are exactly those that match it", () => {
  // few letters, so that texts often match; also types with empty words, which validation refuses
  const text = fc.stringMatching(/^[ab.*]{0,7}$/);
  fc.assert(
    fc.property(text, text, (type, pattern) => {
      expect(patternsOf(type).has(pattern)).toBe(matchesType(pattern, type));
    }),
    { numRuns: 2_000 },
  );
  expect([...patternsOf("order.paid.late")].toSorted()).toEqual([
    "*",
    "order.*",
    "order.paid.*",
    "order.paid.late",
  ]);
});
