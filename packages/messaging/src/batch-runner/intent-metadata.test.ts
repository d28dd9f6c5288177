import { expect, test } from "@jest/globals";
import fc from "fast-check";
import {
  decodeIntent,
  encodeIntent,
  MAX_INTENT_CHARACTERS,
  tokenOf,
} from "./intent-metadata.ts";
import type { Intent, IntentRange } from "./intent-metadata.ts";

const ranges = fc
  .record({
    partition: fc.nat(9_999),
    first: fc.nat(2 ** 40),
    length: fc.integer({ min: 1, max: 300 }),
    picks: fc.array(fc.nat(299), { maxLength: 300 }),
    firstTimestamp: fc.integer({ min: -1, max: 4e12 }),
  })
  .map(({ partition, first, length, picks, firstTimestamp }): IntentRange => ({
    partition,
    first,
    last: first + length - 1,
    firstTimestamp,
    excluded: [...new Set(picks.filter((pick) => pick < length))]
      .sort((a, b) => a - b)
      .map((pick) => first + pick),
  }));

const intents: fc.Arbitrary<Intent> = fc.record({
  intendedAt: fc.nat(4e12),
  ranges: fc
    .uniqueArray(ranges, {
      selector: ({ partition }) => partition,
      minLength: 1,
      maxLength: 5,
    })
    .map((list) => list.sort((a, b) => a.partition - b.partition)),
});

test("an intent is read back as it was written", () => {
  fc.assert(
    fc.property(intents, (intent) => {
      expect(
        decodeIntent(encodeIntent(intent), intent.ranges[0]!.partition),
      ).toEqual({
        kind: "intent",
        intent,
      });
    }),
  );
});

test("a damaged length with a damaged end beside it does not fill the memory", () => {
  const text = JSON.stringify({
    intent: 1,
    first: 0,
    last: 9_007_199_254_740_990,
    firstTimestamp: 5,
    intendedAt: 6,
    excluded: [0, 9_007_199_254_740_990],
  });

  expect(decodeIntent(text, 0)).toEqual({ kind: "unreadable", text });
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
      const stored = decodeIntent(text, 0);

      if (stored.kind !== "intent") return;
      for (const { first, last, excluded } of stored.intent.ranges) {
        expect(first).toBeLessThanOrEqual(last);
        for (const offset of excluded) {
          expect(offset).toBeGreaterThanOrEqual(first);
          expect(offset).toBeLessThanOrEqual(last);
        }
      }
    }),
  );
});

test("a damaged run length is unreadable, not a million offsets", () => {
  const text = `{"intent":1,"first":0,"last":5,"firstTimestamp":0,"intendedAt":0,"excluded":[0,9000000000000]}`;

  expect(decodeIntent(text, 0)).toEqual({ kind: "unreadable", text });
});

test("empty metadata is no intent", () => {
  expect(decodeIntent("", 0)).toEqual({ kind: "none" });
});

test("a run of refused records costs the same few characters however long it is", () => {
  const excluded = Array.from({ length: 5_000 }, (_, n) => 1_000 + n);
  const range = {
    partition: 0,
    first: 1_000,
    last: 5_999,
    firstTimestamp: 1,
    excluded,
  };

  const text = encodeIntent({ intendedAt: 1, ranges: [range] });

  expect(text.length).toBeLessThan(120);
});

test("an intent of one partition has the form that older versions read", () => {
  const range = {
    partition: 3,
    first: 7,
    last: 9,
    firstTimestamp: 5,
    excluded: [8],
  };

  const text = encodeIntent({ intendedAt: 6, ranges: [range] });

  expect(text).toBe(
    `{"intent":1,"first":7,"last":9,"firstTimestamp":5,"intendedAt":6,"excluded":[1,1]}`,
  );
});

test("an intent of 64 partitions of a busy topic fits into a commit", () => {
  const intendedAt = 1_764_380_000_000;
  const many = Array.from({ length: 64 }, (_, partition) => ({
    partition,
    first: 123_456_789_000,
    last: 123_456_789_299,
    firstTimestamp: intendedAt - 1_012,
    excluded: [123_456_789_100],
  }));

  const text = encodeIntent({ intendedAt, ranges: many });

  expect(text.length).toBeLessThan(MAX_INTENT_CHARACTERS);
});

test("the token of one partition's range names table, topic, partition, range and the first record's time", () => {
  const range = {
    partition: 3,
    first: 7,
    last: 9,
    firstTimestamp: 1_700_000_000_000,
    excluded: [8],
  };

  const token = tokenOf("attempts", "p.attempts", {
    intendedAt: 5,
    ranges: [range],
  });

  expect(token).toBe("attempts-p.attempts-3-7-9-1700000000000");
});

test("the token of several ranges differs with each of them, and not with what is excluded or when it was announced", () => {
  const range = {
    partition: 3,
    first: 7,
    last: 9,
    firstTimestamp: 1,
    excluded: [8],
  };
  const token = (...changed: Partial<IntentRange>[]) =>
    tokenOf("t", "t", {
      intendedAt: changed.length,
      ranges: [
        { ...range, partition: 1 },
        ...changed.map((each) => ({ ...range, ...each })),
      ],
    });

  const same = [token({}), token({ excluded: [] })];
  const others = [
    token({ partition: 4 }),
    token({ first: 6 }),
    token({ last: 10 }),
    token({ firstTimestamp: 2 }),
    token({}, { partition: 4 }),
  ];

  expect(new Set(same).size).toBe(1);
  expect(new Set([...same, ...others]).size).toBe(6);
});
