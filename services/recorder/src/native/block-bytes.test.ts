import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { BlockBytes } from "./block-bytes.ts";

test("bytes that were written stay as they are while the buffer grows", () => {
  const to = new BlockBytes(0);
  const expected: Buffer[] = [];

  for (let n = 0; n < 5_000; n++) {
    to.int32(n);
    to.int64(-n);
    const eight = Buffer.alloc(12);
    eight.writeInt32LE(n, 0);
    eight.writeBigInt64LE(BigInt(-n), 4);
    expected.push(eight);
  }

  expect(to.written()).toEqual(Buffer.concat(expected));
});

test("a whole number is written as Int64", () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), (value) => {
      const to = new BlockBytes(0);
      to.int64(value);

      expect(to.written().readBigInt64LE()).toBe(BigInt(value));
    }),
  );
});

const NO_NUMBERS = [undefined, null, NaN, Infinity, 0.5, "7", 1n, true, {}];

test.each([...NO_NUMBERS, 2 ** 31, -(2 ** 31) - 1, 2 ** 53])(
  "%p is no Int32",
  (value) => {
    const to = new BlockBytes(0);

    expect(() => to.int32(value as number)).toThrow(TypeError);
  },
);

test.each([...NO_NUMBERS, 2 ** 53, -(2 ** 53)])("%p is no Int64", (value) => {
  const to = new BlockBytes(0);

  expect(() => to.int64(value as number)).toThrow(TypeError);
});

test.each([2 ** 31 - 1, -(2 ** 31), -1, 0, -0])("%p is an Int32", (value) => {
  const to = new BlockBytes(0);

  to.int32(value);

  expect(to.written().readInt32LE()).toBe(value + 0);
});

test("a text is its length and its UTF-8, whatever its length and letters", () => {
  const texts = fc.oneof(
    fc.string({ unit: "binary", maxLength: 90 }),
    fc.string({ unit: "binary-ascii", maxLength: 300 }),
  );

  fc.assert(
    fc.property(texts, (text) => {
      const to = new BlockBytes(0);
      to.text(text);

      const utf8 = Buffer.from(text);
      const length = utf8.length;
      const head =
        length < 128 ? [length] : [(length & 0x7f) | 0x80, length >> 7];
      expect(to.written()).toEqual(Buffer.concat([Buffer.from(head), utf8]));
    }),
  );
});

test("half a pair of surrogates becomes the replacement character, as Kafka's records have it", () => {
  const to = new BlockBytes(0);

  to.text("a\ud800b");

  expect(to.written().toString("hex")).toBe("0561efbfbd62");
});
