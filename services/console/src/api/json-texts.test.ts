import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { fieldTextsOf, keepingTexts, valueText } from "./json-texts.ts";

test.each([
  ["null", null],
  ['"null"', "null"],
  ['"a\\"\\u202e"', 'a"\u202e'],
  ["1.50", "1.50"],
  ["true", "true"],
  ["[1, 2]", "[1, 2]"],
])("the value %s is shown as %j", (json, shown) => {
  expect(valueText(json)).toBe(shown);
});

test("an entry's fields of any JSON keep every digit; the others are values", () => {
  const text =
    '{"entries":[{"at":"now","version":2,"detail":{"maximum":{"to":9223372036854775807}}},{"version":3,"detail":null},{}],"nextCursor":"c"}';

  expect(keepingTexts("entries", ["detail"])(text)).toEqual({
    entries: [
      {
        at: "now",
        version: 2,
        detail: '{"maximum":{"to":9223372036854775807}}',
      },
      { version: 3, detail: null },
      { detail: null },
    ],
    nextCursor: "c",
  });
});

test("what is no JSON is refused, and a page without the list has none", () => {
  const parse = keepingTexts("entries", ["detail"]);

  expect(() => parse("<h1>Bad gateway</h1>")).toThrow(SyntaxError);
  expect(parse("{}")).toEqual({ entries: [] });
});

test("whatever is in an object is found again, by its name", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
      for (const json of [
        JSON.stringify(object),
        `\n${JSON.stringify(object, null, 2)}\n`,
      ])
        expect(
          new Map(
            [...fieldTextsOf(json)!].map(([name, text]) => [
              name,
              JSON.parse(text),
            ]),
          ),
        ).toEqual(new Map(Object.entries(JSON.parse(json) as object)));
    }),
  );
});

test("what is no object has no fields", () => {
  expect(fieldTextsOf("[1]")).toBeNull();
  expect(fieldTextsOf('"{}"')).toBeNull();
});
