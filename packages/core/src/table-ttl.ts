/** Reads from ClickHouse's description of a table what it removes by itself, and when. Pure. */

/** One element of a table's TTL: an expression that says when a row goes. */
export type TtlExpression = string;

/**
 * The TTL of rows in `system.tables.engine_full`. An element with a condition or that aggregates is taken as if it removed every row: then
 * some may be gone. Moving and recompressing removes nothing.
 */
export function rowTtls(engineFull: string): readonly TtlExpression[] {
  const [, text] = /\sTTL\s([\s\S]+?)(?:\sSETTINGS\s[\s\S]*)?$/.exec(
    engineFull,
  ) ?? [undefined, ""];
  return elementsOf(text ?? "")
    .filter((element) => !/\s(?:TO (?:DISK|VOLUME)|RECOMPRESS)\s/.test(element))
    .map((element) =>
      element.replace(/\s+(?:DELETE|WHERE|GROUP BY|SET)\b[\s\S]*$/, "").trim(),
    )
    .filter((expression) => expression !== "");
}

/** Columns that have a TTL of their own, by the text of SHOW CREATE TABLE: after it their values are gone, and the row stays. */
export function columnsWithTtl(showCreate: string): readonly string[] {
  return showCreate.split("\n").flatMap((line) => {
    const [, column] = /^ {4}`((?:[^`\\]|\\.)+)` /.exec(line) ?? [];
    return column !== undefined && /\sTTL\s/.test(withoutTexts(line))
      ? [column]
      : [];
  });
}

function withoutTexts(line: string): string {
  return line.replace(/'(?:[^'\\]|\\.|'')*'/g, "''");
}

/** Splits at commas outside of parentheses and texts. */
function elementsOf(list: string): string[] {
  const elements = [""];
  let depth = 0;
  for (const [token] of list.matchAll(/'(?:[^'\\]|\\.|'')*'|[\s\S]/g)) {
    if (token === "(" || token === "[") depth += 1;
    if (token === ")" || token === "]") depth -= 1;
    if (token === "," && depth === 0) elements.push("");
    else elements[elements.length - 1] += token;
  }
  return elements;
}
