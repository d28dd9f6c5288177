/** The text with what is between a bracket at a line's end and the one at a line's beginning set in, so that a part of a query can be put into any depth. */
export function laidOut(sql: string): string {
  /** How far in the lines are that opened the brackets around. */
  const openers: string[] = [];
  const lines = sql.split("\n").map((line) => {
    const isEnd = line.startsWith(")");
    const around = openers.at(-1);
    const isTop = isEnd || around === undefined;
    const laid = `${around ?? ""}${isTop ? "" : "  "}${line}`;
    if (isEnd) openers.pop();
    if (line.endsWith("(")) openers.push(/^ */.exec(laid)?.[0] ?? "");
    return laid;
  });
  return lines.join("\n");
}
