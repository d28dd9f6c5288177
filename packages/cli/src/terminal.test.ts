import { expect, test } from "@jest/globals";
import { createTerminal, table, visible } from "./terminal.ts";

test("columns are as wide as their widest cell, without blanks at the ends of lines", () => {
  const text = table(
    ["A", "B"],
    [
      ["long", "1"],
      ["x", ""],
    ],
    createTerminal(false),
  );

  expect(text).toBe("A     B\nlong  1\nx");
});

test("control characters in other people's texts do not reach the terminal", () => {
  expect(visible("a\u001b[2Jb\nc\u0007\u009b")).toBe("ab\\nc��");
});
