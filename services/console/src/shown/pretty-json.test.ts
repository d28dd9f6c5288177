import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { MAX_DEPTH, prettyJson } from "./pretty-json.ts";

test("objects and lists get lines and indents", () => {
  expect(prettyJson('{"a":[1,{"b":null}],"c":{},"d":[ ]}')).toBe(
    `{
  "a": [
    1,
    {
      "b": null
    }
  ],
  "c": {},
  "d": []
}`,
  );
});

test("a number that JavaScript would round stays as it was written", () => {
  expect(prettyJson('{"n":12345678901234567890,"m":1.10e2}')).toContain(
    '"n": 12345678901234567890,\n  "m": 1.10e2',
  );
});

test("a name that is there twice stays twice, and a text keeps what looks like structure", () => {
  expect(prettyJson(String.raw`{"a":1,"a":"{\"x\": [1, 2]}"}`)).toBe(
    `{\n  "a": 1,\n  "a": ${String.raw`"{\"x\": [1, 2]}"`}\n}`,
  );
});

test("a text that is nested too deep stays as it came: its indents would fill the memory", () => {
  const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth);

  expect(prettyJson(nested(MAX_DEPTH))).toContain("\n");
  expect(prettyJson(nested(MAX_DEPTH + 1))).toBeNull();
  expect(prettyJson(nested(100_000))).toBeNull();
  expect(prettyJson(`["${"[".repeat(200)}"]`)).toContain("\n");
});

test.each(["", "order=1", "{", '{"a":1}x', "<p>"])("%j is no JSON", (text) => {
  expect(prettyJson(text)).toBeNull();
});

test("it means the same as before, and is laid out as JSON.stringify would", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);

      expect(prettyJson(text)).toBe(JSON.stringify(JSON.parse(text), null, 2));
    }),
  );
});
