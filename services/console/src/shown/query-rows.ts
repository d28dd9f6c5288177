import type { QueryAnswer } from "../api/answers-queries.ts";

/** The rows of a saved query, by the names of its columns. */
export function rowsOf<Row>({
  columns,
  rows,
}: Pick<QueryAnswer, "columns" | "rows">): readonly Row[] {
  return rows.map(
    (row) =>
      Object.fromEntries(columns.map(({ name }, at) => [name, row[at]])) as Row, // the columns that the query documents
  );
}

/** ClickHouse's own way to write a time, `2026-11-28 06:24:26.295` in UTC, as RFC 3339. */
export function timeOf(written: string): string {
  return `${written.replace(" ", "T")}Z`;
}
