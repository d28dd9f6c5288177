import { expect, test } from "@jest/globals";
import { isCelUint } from "@bufbuild/cel";
import fc from "fast-check";
import { type JsonValue, parseJson } from "./parse-json.ts";

const parsed = (text: string) => parseJson(Buffer.from(text));
const valueOf = (text: string): JsonValue => {
  const result = parsed(text);
  if (!result.ok) throw new Error(result.reason);
  return result.value;
};

test.each<[string, JsonValue]>([
  ["0", 0n],
  ["-0", 0n],
  ["9007199254740993", 9_007_199_254_740_993n],
  ["-9223372036854775808", -9_223_372_036_854_775_808n],
  ["9223372036854775807", 9_223_372_036_854_775_807n],
  ["1.0", 1],
  ["1e3", 1_000],
  ["-2.5E-1", -0.25],
  ["99999999999999999999", 1e20],
  ["-9223372036854775809", -(2 ** 63)],
  ["1".repeat(400), Infinity],
  [' "a\\u00e9\\n\\"" ', 'aé\n"'],
  ["[]", []],
  ["[1, [true, null]]", [1n, [true, null]]],
  ["{}", new Map()],
  [
    '{"a":1,"b":{"c":"d"},"a":2}',
    new Map<string, JsonValue>([
      ["a", 2n],
      ["b", new Map([["c", "d"]])],
    ]),
  ],
  [
    '{"__proto__":1,"constructor":2}',
    new Map([
      ["__proto__", 1n],
      ["constructor", 2n],
    ]),
  ],
])("%s is read as CEL has it", (text, value) => {
  expect(valueOf(text)).toEqual(value);
});

test("an integer above those with a sign is a uint", () => {
  const value = valueOf("18446744073709551615");

  expect(isCelUint(value) && value.value).toBe(18_446_744_073_709_551_615n);
});

test.each([
  "",
  " ",
  "{",
  "[1,]",
  '{"a"}',
  '{"a":1,}',
  "{a:1}",
  "01",
  "1.",
  "-",
  "+1",
  "1e",
  "NaN",
  "tru",
  '"a',
  '"a\\"',
  '"a\\',
  '"\\x"',
  '"\u0001"',
  '"\\u12"',
  "1 2",
  "[".repeat(101) + "]".repeat(101),
])("%j is not read, and the reason repeats nothing of it", (text) => {
  const result = parsed(text);

  expect(result).toEqual({
    ok: false,
    reason: expect.stringMatching(
      /^the payload is (not JSON: (it ends too early|at character \d+)|nested deeper than 100)$/,
    ),
  });
});

test("bytes that are not UTF-8 are not read", () => {
  expect(parseJson(Uint8Array.of(0x22, 0xff, 0x22))).toEqual({
    ok: false,
    reason: "the payload is not JSON: not UTF-8",
  });
});

/** What JSON.parse would have made of it. */
function asJson(value: JsonValue): unknown {
  if (typeof value === "bigint") return Number(value);
  if (isCelUint(value)) return Number(value.value);
  if (Array.isArray(value)) return value.map(asJson);
  return value instanceof Map
    ? Object.fromEntries([...value].map(([name, each]) => [name, asJson(each)]))
    : value;
}

test("what JSON.parse reads is read, and is the same but for its numbers", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.constantFrom(0, 2), (value, indent) => {
      const text = JSON.stringify(value, null, indent);

      expect(asJson(valueOf(text))).toEqual(JSON.parse(text));
    }),
  );
});

test("of any text it is said whether it is JSON, as JSON.parse says", () => {
  const almost = fc
    .tuple(fc.json(), fc.nat(), fc.constantFrom("", ",", "}", '"', "\\", "1"))
    .map(([text, at, put]) => {
      const cut = at % (text.length + 1);
      return text.slice(0, cut) + put + text.slice(cut + 1);
    });
  fc.assert(
    fc.property(fc.oneof(almost, fc.string()), (text) => {
      // Its bytes: half of a surrogate pair becomes another character.
      const bytes = Buffer.from(text);
      let isJson = true;
      try {
        JSON.parse(bytes.toString());
      } catch {
        isJson = false;
      }

      expect(parseJson(bytes).ok).toBe(isJson);
    }),
  );
});

test("every integer of 64 bits is exact", () => {
  fc.assert(
    fc.property(fc.bigInt(-(2n ** 63n), 2n ** 63n - 1n), (integer) => {
      expect(valueOf(`{"at":[${integer}]}`)).toEqual(
        new Map([["at", [integer]]]),
      );
    }),
  );
});
