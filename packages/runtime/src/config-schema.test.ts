/** The ranges as JSON schemas, from which the chart's values are checked, and the parsers themselves say the same. */
import { expect, test } from "@jest/globals";
import {
  boolean,
  brokers,
  duration,
  integer,
  oneOf,
  text,
  url,
} from "./config-parsers.ts";
import type { JsonSchema, Parse } from "./config.ts";

test.each<[string, Parse<unknown>, readonly unknown[], readonly unknown[]]>([
  ["text", text, ["a"], ["", 1]],
  ["oneOf", oneOf(["a", "b"]), ["a"], ["c", ""]],
  ["integer", integer(1, 5), [1, 5], [0, 6, "1", 1.5]],
  ["boolean", boolean, [true, false], ["yes", 2]],
  ["duration", duration, ["250ms", "1.5h"], ["30", "5w", 30]],
  ["brokers", brokers, ["a:1", "a.b:9092, 10.0.0.1:1"], ["a", "a:1,b", ""]],
  ["url", url, ["http://h:1", "https://h/x"], ["ftp://h", "h:8123", "http://"]],
])("%s", (_, parse, good, bad) => {
  for (const value of good) {
    expect(fits(value, parse.schema!)).toBe(true);
    expect(() => parse(String(value))).not.toThrow();
  }
  expect(bad.filter((value) => fits(value, parse.schema!))).toEqual([]);
});

/** As far as our schemas go. */
function fits(value: unknown, schema: JsonSchema): boolean {
  const { type, enum: choices, minimum, maximum, minLength, pattern } = schema;
  if (Array.isArray(choices)) return choices.includes(value);
  if (type === "integer")
    return (
      Number.isInteger(value) &&
      Number(value) >= Number(minimum) &&
      Number(value) <= Number(maximum)
    );
  if (typeof value !== type) return false;
  if (typeof value !== "string") return true;
  return typeof pattern === "string"
    ? new RegExp(pattern).test(value)
    : value.length >= Number(minLength);
}
