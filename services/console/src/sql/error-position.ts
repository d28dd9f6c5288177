/** Where in the SQL ClickHouse's parser stopped. */
export interface ErrorPosition {
  /** Of characters, from 0. */
  readonly offset: number;
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
}

/** White space and comments before the statement, which control does not send to ClickHouse. */
const BEFORE = /^(?:[ \t\r\n\f\v]+|--[^\n]*|#[ !][^\n]*|\/\*[^]*?\*\/)*/;

/** Reads `failed at position 8 (…)` of a message about `sql`; null where the message names none. ClickHouse counts bytes, from 1. */
export function errorPosition(
  message: string,
  sql: string,
): ErrorPosition | null {
  const named = /\bat position (\d+)/.exec(message)?.[1];
  if (named === undefined) return null;
  const before = BEFORE.exec(sql)?.[0] ?? "";
  const bytes = new TextEncoder().encode(sql.slice(before.length));
  const read = new TextDecoder().decode(bytes.subarray(0, Number(named) - 1));
  const offset = before.length + read.length;
  const lines = sql.slice(0, offset).split("\n");
  return {
    offset,
    line: lines.length,
    column: (lines.at(-1) ?? "").length + 1,
  };
}
