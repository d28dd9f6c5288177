import { expect, test } from "@jest/globals";
import { rowsOf, timeOf } from "./query-rows.ts";

test("rows are read by the names of their columns", () => {
  const columns = ["reason", "waiting"].map((name) => ({ name, type: "" }));

  expect(rowsOf({ columns, rows: [["retry", 2]] })).toEqual([
    { reason: "retry", waiting: 2 },
  ]);
});

test("ClickHouse's times are UTC", () => {
  expect(timeOf("2026-11-28 06:00:00.001")).toBe("2026-11-28T06:00:00.001Z");
});
