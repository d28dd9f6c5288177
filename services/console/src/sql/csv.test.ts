import { expect, test } from "@jest/globals";
import { csvOf } from "./csv.ts";

function csv(...cells: readonly unknown[]): string {
  const [, row = ""] = csvOf({
    columns: cells.map((_, at) => ({ name: `c${at}`, type: "String" })),
    rows: [cells.map((cell) => JSON.stringify(cell))],
  }).split(/(?<=^[^\r]*\r\n)/);
  return row;
}

test("the first line has the names, each line ends as RFC 4180 has it", () => {
  const columns = [
    { name: "count()", type: "UInt64" },
    { name: "any(a, b)", type: "String" },
  ];

  expect(csvOf({ columns, rows: [["18446744073709551615", '"x"']] })).toBe(
    'count(),"any(a, b)"\r\n18446744073709551615,x\r\n',
  );
});

test.each([
  [["a,b", 'say "x"', "two\nlines"], '"a,b","say ""x""","two\nlines"\r\n'],
  [[null, "", "NULL"], ',"",NULL\r\n'],
  [[[1, 2], { a: "b" }], '"[1,2]","{""a"":""b""}"\r\n'],
])("%j becomes %j", (cells, line) => {
  expect(csv(...cells)).toBe(line);
});

test("a text that a spreadsheet would run is none any more; a negative number stays one", () => {
  expect(csv("=1+1", "+1", "-x", "@a", "\tx", -5)).toBe(
    "'=1+1,'+1,'-x,'@a,'\tx,-5\r\n",
  );
});

test("nor is the name of a column, which the SQL of a link chooses", () => {
  const columns = [{ name: "=cmd|' /C calc'!A0", type: "UInt8" }];

  expect(csvOf({ columns, rows: [] })).toBe("'=cmd|' /C calc'!A0\r\n");
});
