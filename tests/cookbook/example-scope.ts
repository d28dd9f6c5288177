import type { SavedQuery } from "../../services/control/src/cookbook/saved-query.ts";
import type { Scope } from "./answers.ts";
import { HOUR } from "./receivers.ts";

/** What the example of docs/sql/cookbook.md is asked with: everything, in a few rows. */
export function exampleScope(
  query: SavedQuery,
  window: { readonly from: number; readonly until: number },
): Scope {
  const { tenant, endpoint, since } = query.parameters;
  const isComparison = query.sql.includes("is_now");
  return {
    since: window.from + (isComparison && since !== undefined ? 24 * HOUR : 0),
    until: window.until,
    tenant: tenant?.default ?? "acme",
    endpoint: endpoint === undefined ? "" : (endpoint.default ?? "ep_flaky"),
    limit: 5,
    min_attempts: 10,
    target: 0.995,
    within_ms: 60_000,
    attempts: 20,
  };
}
