import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { parseFieldPath, valueAtPath } from "./field-path.ts";
import { wholeValue } from "./json-spans.ts";

const at = (json: string, path: string): string | null => {
  const bytes = Buffer.from(json);
  const span = valueAtPath(bytes, parseFieldPath(path)!, wholeValue(bytes)!);
  return span && bytes.toString("utf8", span.start, span.end);
};

test.each([
  ["$", []],
  ["$.a", ["a"]],
  ["$.order.customer-id", ["order", "customer-id"]],
  ["$.lines[0].sku", ["lines", 0, "sku"]],
  [`$["a.b"]['it\\'s'][12]`, ["a.b", "it's", 12]],
  [`$["\\\\"]`, ["\\"]],
])("%s is a path", (text, path) => {
  expect(parseFieldPath(text)).toEqual(path);
});

test.each([
  "",
  "a",
  "$.",
  "$a",
  "$.a.",
  "$..a",
  "$[-1]",
  "$[01]",
  "$[a]",
  '$["a]',
  '$["a\\n"]',
  "$.a b",
  "$.a[*]",
])("%j is no path", (text) => {
  expect(parseFieldPath(text)).toBeNull();
});

test("a path leads to the value's own bytes, and to nothing where there is none", () => {
  const json = ` {"a" : { "b":[1.0, {"c": 12345678901234567890} ,[ ]] , "a":null}} `;

  expect(at(json, "$")).toBe(json.trim());
  expect(at(json, "$.a.b[0]")).toBe("1.0");
  expect(at(json, "$.a.b[1]")).toBe(`{"c": 12345678901234567890}`);
  expect(at(json, "$.a.b[1].c")).toBe("12345678901234567890");
  expect(at(json, "$.a.b[2]")).toBe("[ ]");
  expect(at(json, "$.a.a")).toBe("null");
  for (const path of ["$.b", "$[0]", "$.a.b.c", "$.a.b[3]", "$.a.b[2][0]"])
    expect(at(json, path)).toBeNull();
});

test("of a repeated name the last counts, however it is spelled", () => {
  expect(at(`{"id":1,"\\u0069d":2}`, "$.id")).toBe("2");
});

test("a path finds what the platform finds", () => {
  const name = fc.string({ maxLength: 4 });
  const steps = fc.array(fc.oneof(name, fc.nat(3)), { maxLength: 4 });
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), steps, (value, path) => {
      // JSON.parse gives `__proto__` to nobody, and -0 another spelling.
      const json = JSON.stringify(value);
      let expected: unknown = JSON.parse(json);
      for (const step of path)
        expected =
          typeof expected === "object" &&
          expected !== null &&
          Array.isArray(expected) === (typeof step === "number") &&
          Object.hasOwn(expected, step)
            ? (expected as Record<string | number, unknown>)[step]
            : undefined;

      const bytes = Buffer.from(json);
      const span = valueAtPath(bytes, path, wholeValue(bytes)!);

      expect(
        span === null
          ? undefined
          : JSON.parse(bytes.toString("utf8", span.start, span.end)),
      ).toEqual(expected);
    }),
    { numRuns: 500 },
  );
});

test("a whole value is one, with nothing but white space and a byte order mark around it", () => {
  const isWhole = (text: string): boolean =>
    wholeValue(Buffer.from(text)) !== null;

  for (const text of ["1", " \n[] ", '\ufeff {"a":1}', '"\\ud800"', "null"])
    expect(isWhole(text)).toBe(true);
  for (const text of [
    "",
    " ",
    "1 2",
    "{}{}",
    "nul",
    '{"a":01}',
    "\ufeff\ufeff1",
  ])
    expect(isWhole(text)).toBe(false);
});
