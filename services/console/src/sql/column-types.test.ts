import { expect, test } from "@jest/globals";
import { isNumber, isText, isUtcTime } from "./column-types.ts";

test.each([
  ["UInt64", "number"],
  ["Nullable(Int32)", "number"],
  ["LowCardinality(Nullable(Float64))", "number"],
  ["Decimal(18, 4)", "number"],
  ["String", "text"],
  ["LowCardinality(String)", "text"],
  ["Enum8('a' = 1)", "text"],
  ["Date", "time"],
  ["DateTime('UTC')", "time"],
  ["Nullable(DateTime64(3, 'UTC'))", "time"],
  ["DateTime", ""],
  ["DateTime64(3)", ""],
  ["DateTime('Europe/Berlin')", ""],
  ["Array(UInt64)", ""],
  ["IntervalDay", ""],
  ["Map(String, String)", ""],
])("%s is %j", (type, kind) => {
  const found = [
    isNumber(type) && "number",
    isText(type) && "text",
    isUtcTime(type) && "time",
  ].filter((each) => each !== false);

  expect(found.join()).toBe(kind);
});
