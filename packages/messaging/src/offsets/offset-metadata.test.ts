import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { METADATA_LIMIT_CHARS } from "../metadata-bytes.ts";
import {
  decodeOffsetMetadata,
  encodeOffsetMetadata,
  type OffsetMetadata,
} from "./offset-metadata.ts";

const gap = fc.oneof(
  fc.integer({ min: 1, max: 3 }),
  fc.integer({ min: 1, max: 100_000 }),
);
const metadata = (maxRuns: number): fc.Arbitrary<OffsetMetadata> =>
  fc
    .record({
      base: fc.oneof(fc.nat(1000), fc.integer({ min: 0, max: 2 ** 50 })),
      runs: fc.array(fc.tuple(gap, fc.integer({ min: 1, max: 50 })), {
        maxLength: maxRuns,
      }),
      rest: fc.nat(10_000),
      tag: fc.stringMatching(/^[A-Za-z0-9_-]{1,32}$/),
      counter: fc.oneof(
        fc.nat(),
        fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
      ),
    })
    .map(({ base, runs, rest, tag, counter }) => {
      const flat: number[] = [];
      let end = base;
      runs.forEach(([skip, length], i) => {
        const start = i === 0 ? base : end + skip;
        flat.push(start, length);
        end = start + length;
      });
      // Without open offsets the base equals `next`.
      return {
        base,
        next: flat.length === 0 ? base : end + rest,
        runs: flat,
        tag,
        counter,
      };
    });

test("what is written is read back", () => {
  fc.assert(
    fc.property(metadata(200), (written) => {
      const text = encodeOffsetMetadata(written, Infinity);

      expect(decodeOffsetMetadata(text, written.base)).toEqual(written);
    }),
  );
});

test("the text never exceeds the limit; runs that are left out lie above those that are kept, and count as not seen", () => {
  fc.assert(
    fc.property(
      metadata(3000),
      fc.integer({ min: 100, max: METADATA_LIMIT_CHARS }),
      (written, limit) => {
        const text = encodeOffsetMetadata(written, limit);

        expect(text.length).toBeLessThanOrEqual(limit);
        const read = decodeOffsetMetadata(text, written.base);
        if (read === null) {
          // Not even one run fits: the text then does not decode, and a reader takes everything as open.
          expect(limit).toBeLessThan(200);
          return;
        }
        const { length } = read.runs;
        expect(read.runs).toEqual(written.runs.slice(0, length));
        expect(read.next).toBe(
          length === written.runs.length ? written.next : written.runs[length],
        );
      },
    ),
    { numRuns: 60 },
  );
});

test("metadata of another offset is not believed", () => {
  const text = encodeOffsetMetadata({
    base: 5,
    next: 9,
    runs: [5, 1],
    tag: "a",
    counter: 1,
  });

  expect(decodeOffsetMetadata(text, 4)).toBeNull();
});

test("garbage decodes to null, and never throws", () => {
  const valid = encodeOffsetMetadata({
    base: 5,
    next: 900,
    runs: [5, 1, 100, 3],
    tag: "a",
    counter: 1,
  });
  const damaged = fc
    .tuple(fc.nat(valid.length - 1), fc.string({ minLength: 1, maxLength: 1 }))
    .map(([at, char]) => valid.slice(0, at) + char + valid.slice(at + 1));
  const shaped = fc
    .uint8Array({ minLength: 1, maxLength: 300 })
    .map((bytes) => `${Buffer.from(bytes).toString("base64")}~tag~1`);

  fc.assert(
    fc.property(fc.oneof(fc.string(), damaged, shaped), (text) => {
      const read = decodeOffsetMetadata(text, 5);

      if (read !== null) {
        expect(read.base).toBe(5);
        expect(read.next).toBeGreaterThanOrEqual(5);
      }
    }),
    { numRuns: 2000 },
  );
});

test.each([
  ["a thousand open at random among 131,072", 131_072, 1024, 1850],
  ["a thousand open at random among a million", 1_000_000, 1024, 2450],
  ["two hundred open among a hundred thousand", 100_000, 200, 550],
])("%s fit", (_name, span, open, chars) => {
  let seed = 7;
  const random = () =>
    (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31;
  const offsets = [
    ...new Set(
      Array.from(
        { length: open },
        () => 5_000_000 + Math.floor(random() * span),
      ),
    ),
  ].toSorted((a, b) => a - b);

  const text = encodeOffsetMetadata({
    base: offsets[0]!,
    next: 5_000_000 + span,
    runs: offsets.flatMap((offset) => [offset, 1]),
    tag: "AAAAAAAA",
    counter: 1_000_000,
  });

  expect(text.length).toBeLessThanOrEqual(chars);
});
