import { expect, test } from "@jest/globals";
import fc from "fast-check";
import { readResult } from "./query-answer.ts";

/** An answer with these rows, as control writes it. */
function answerOf(rows: string): string {
  return `{"columns":[{"name":"n","type":"UInt64"}],"rows":${rows},"truncated":false,"elapsedMs":8}`;
}

test("64-bit integers keep every digit, also in arrays and maps", () => {
  const text = answerOf(
    '[[18446744073709551615,[9007199254740993],{"a,]":9007199254740993}]]',
  );

  const { columns, rows, truncated, elapsedMs } = readResult(text);

  expect(rows).toEqual([
    ["18446744073709551615", "[9007199254740993]", '{"a,]":9007199254740993}'],
  ]);
  expect({ columns, truncated, elapsedMs }).toEqual({
    columns: [{ name: "n", type: "UInt64" }],
    truncated: false,
    elapsedMs: 8,
  });
});

test("a name in a value is not taken for the rows", () => {
  const text = answerOf("[[1]]").replace('"UInt64"', '"\\"rows\\":[[2]]"');

  expect(readResult(text).rows).toEqual([["1"]]);
});

test("no rows are none, and what is no JSON is refused", () => {
  expect(readResult(answerOf("[]")).rows).toEqual([]);
  expect(() => readResult("<h1>Bad gateway</h1>")).toThrow(SyntaxError);
});

test("whatever is in the rows is found again", () => {
  fc.assert(
    fc.property(fc.array(fc.array(fc.jsonValue())), (rows) => {
      const read = readResult(answerOf(JSON.stringify(rows))).rows;

      expect(read.map((row) => row.map((cell) => JSON.parse(cell)))).toEqual(
        JSON.parse(JSON.stringify(rows)),
      );
    }),
  );
});
