import { expect, test } from "@jest/globals";
import { INT32, nullable } from "./column-types.ts";

test.each([
  [null, "0100000000"],
  [undefined, "0100000000"],
  [0, "0000000000"],
  [7, "0007000000"],
])("%p in a nullable column is %s", (value, hex) => {
  const { add, parts } = nullable(INT32).open(1);

  add(value as number | null);

  const bytes = Buffer.concat(parts.map((part) => part.written()));
  expect(bytes.toString("hex")).toBe(hex);
});
