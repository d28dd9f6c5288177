import { expect, test } from "@jest/globals";
import { counted } from "./counted.ts";

test.each([
  [counted(0, "record"), "0 records"],
  [counted(1, "record"), "1 record"],
  [counted(2, "record"), "2 records"],
  [counted(1, "entry", "entries"), "1 entry"],
  [counted(2, "entry", "entries"), "2 entries"],
])("%s", (text, expected) => {
  expect(text).toBe(expected);
});
