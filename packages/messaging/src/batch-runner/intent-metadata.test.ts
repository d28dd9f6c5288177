import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { decodeIntent, encodeIntent, tokenOf } from "./intent-metadata.ts";
import type { Intent } from "./intent-metadata.ts";

const intents: fc.Arbitrary<Intent> = fc
  .record({
    first: fc.nat(2 ** 40),
    length: fc.integer({ min: 1, max: 300 }),
    picks: fc.array(fc.nat(299), { maxLength: 300 }),
    firstTimestamp: fc.integer({ min: -1, max: 4e12 }),
    intendedAt: fc.nat(4e12),
  })
  .map(({ first, length, picks, ...times }) => ({
    first,
    last: first + length - 1,
    ...times,
    excluded: [...new Set(picks.filter((pick) => pick < length))]
      .sort((a, b) => a - b)
      .map((pick) => first + pick),
  }));

test("an intent is read back as it was written", () => {
  fc.assert(
    fc.property(intents, (intent) => {
      expect(decodeIntent(encodeIntent(intent))).toEqual({
        kind: "intent",
        intent,
      });
    }),
  );
});

test("any text is read without throwing, and what is read lies within its range", () => {
  const texts = fc.oneof(
    fc.string(),
    fc.json(),
    fc
      .tuple(intents, fc.string({ maxLength: 3 }), fc.nat(200))
      .map(([intent, junk, at]) => {
        const text = encodeIntent(intent);
        return text.slice(0, at) + junk + text.slice(at + junk.length);
      }),
  );
  fc.assert(
    fc.property(texts, (text) => {
      const stored = decodeIntent(text);

      if (stored.kind !== "intent") return;
      const { first, last, excluded } = stored.intent;
      expect(first).toBeLessThanOrEqual(last);
      for (const offset of excluded) {
        expect(offset).toBeGreaterThanOrEqual(first);
        expect(offset).toBeLessThanOrEqual(last);
      }
    }),
  );
});

test("a damaged run length is unreadable, not a million offsets", () => {
  const text = `{"intent":1,"first":0,"last":5,"firstTimestamp":0,"intendedAt":0,"excluded":[0,9000000000000]}`;

  expect(decodeIntent(text)).toEqual({ kind: "unreadable", text });
});

test("empty metadata is no intent", () => {
  expect(decodeIntent("")).toEqual({ kind: "none" });
});

test("a run of refused records costs the same few characters however long it is", () => {
  const base = { first: 1_000, firstTimestamp: 1, intendedAt: 1 };
  const offsets = Array.from({ length: 5_000 }, (_, n) => 1_000 + n);

  const text = encodeIntent({ ...base, last: 5_999, excluded: offsets });

  expect(text.length).toBeLessThan(120);
});

test("the token names table, topic, partition, range and the first record's time", () => {
  const intent = {
    first: 7,
    last: 9,
    firstTimestamp: 1_700_000_000_000,
    intendedAt: 5,
    excluded: [8],
  };

  const token = tokenOf(
    "attempts",
    { topic: "p.attempts", partition: 3 },
    intent,
  );

  expect(token).toBe("attempts-p.attempts-3-7-9-1700000000000");
});
