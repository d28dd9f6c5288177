import { expect, test } from "@jest/globals";
import { errorPosition } from "./error-position.ts";

const at = (position: number): string =>
  `Syntax error: failed at position ${position} (x) (line 1, col 8): x. (code 62)`;

test.each([
  ["SELECT x", at(8), { offset: 7, line: 1, column: 8 }],
  ["SELECT 1\nFROM x", at(15), { offset: 14, line: 2, column: 6 }],
  // Its letters are two bytes each.
  ["SELECT 'üü' x", at(15), { offset: 12, line: 1, column: 13 }],
  // Control sends what follows the comments.
  ["-- why\n /* so */ SELECT x", at(8), { offset: 24, line: 2, column: 18 }],
  // ClickHouse reads the format, which follows the text.
  ["SELECT", at(40), { offset: 6, line: 1, column: 7 }],
])("in %j: %j", (sql, message, position) => {
  expect(errorPosition(message, sql)).toEqual(position);
});

test("most messages name no position", () => {
  expect(errorPosition("Unknown identifier `x`. (code 47)", "x")).toBeNull();
});
