import { EXAMPLES_FROM, exampleGiven } from "../../scripts/cookbook-page.ts";
import type { SavedQuery } from "../../services/control/src/cookbook/saved-query.ts";
import type { Scope } from "./answers.ts";

/** What the example of docs/sql/cookbook.md is asked with: what its command line has, over the data set's window, and the defaults. */
export function exampleScope(
  query: SavedQuery,
  window: { readonly from: number; readonly until: number },
): Scope {
  const given = exampleGiven(query);
  const textOf = (name: string): string =>
    given[name] ?? query.parameters[name]?.default ?? "";
  const { since } = given;
  return {
    since:
      window.from +
      (since === undefined ? 0 : Date.parse(since) - EXAMPLES_FROM),
    until: window.until,
    tenant: textOf("tenant"),
    endpoint: textOf("endpoint"),
    reason: textOf("reason"),
    limit: Number(textOf("limit")),
    min_attempts: Number(textOf("min_attempts")),
    target: Number(textOf("target")),
    within_ms: Number(textOf("within_ms")),
    attempts: Number(textOf("attempts")),
    min_bad: Number(textOf("min_bad")),
  };
}
