/** Core's `matchesType` in SQL, for a list of patterns. */

/** Whether the column's type is one of them, or matches one. Its values are `typeValues`. None of the patterns is `*`: that would match no type. */
export function isOfTypesSql(column: string): string {
  return `(has({types:Array(String)}, ${column}) OR arrayExists(p -> startsWith(${column}, p) AND length(${column}) > length(p), {typeStarts:Array(String)}))`;
}

export function typeValues(patterns: readonly string[]) {
  return {
    types: patterns,
    typeStarts: patterns
      .filter((each) => each.endsWith(".*"))
      .map((each) => each.slice(0, -1)),
  };
}
