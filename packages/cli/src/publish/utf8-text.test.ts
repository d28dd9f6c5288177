import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { CliError } from "../cli-error.ts";
import { utf8Text } from "./utf8-text.ts";

test.each([
  [
    "a byte of Latin-1",
    [0x22, 0xe9, 0x22],
    "Line 1, byte 2 of the line (byte 2 of all) is 0xe9.",
  ],
  [
    "a cut sequence",
    [0x61, 0x0a, 0x62, 0xe2, 0x82],
    "Line 2, byte 2 of the line (byte 4 of all) is 0xe2.",
  ],
  [
    "a surrogate",
    [0x0a, 0x0a, 0xed, 0xa0, 0x80],
    "Line 3, byte 1 of the line (byte 3 of all) is 0xed.",
  ],
  [
    "something behind a U+FFFD of the sender's",
    [0xef, 0xbf, 0xbd, 0xc3, 0xa9, 0xff],
    "Line 1, byte 6 of the line (byte 6 of all) is 0xff.",
  ],
])("%s is refused by its place", (_, bytes, why) => {
  let refusal: unknown;
  try {
    utf8Text(Buffer.from(bytes), "events.json");
  } catch (error) {
    refusal = error;
  }

  expect(refusal).toBeInstanceOf(CliError);
  expect(refusal).toMatchObject({
    message: "events.json is not UTF-8.",
    why: expect.stringContaining(why),
    exitCode: 2,
  });
});

test("bytes are decoded exactly, or refused", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20 }), (array) => {
      const bytes = Buffer.from(array);
      let text: string;
      try {
        text = utf8Text(bytes, "x");
      } catch {
        return;
      }
      const mark = bytes.indexOf("\uFEFF") === 0 ? 3 : 0;
      expect(Buffer.from(text)).toEqual(bytes.subarray(mark));
    }),
  );
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      expect(utf8Text(Buffer.from(`x${text}`), "x")).toBe(`x${text}`);
    }),
  );
});
