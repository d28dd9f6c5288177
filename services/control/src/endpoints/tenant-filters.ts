/**
 * How long the filters of one tenant may be together. Ingest compiles each text once, which takes up to 15 µs a character of the thread
 * that routes everybody's events, and keeps 500,000 characters of compiled filters (`KeptFilters`). A tenant with more than that would have
 * its own compiled again with each of its events.
 */
import type { Endpoint, Problem } from "@postrider/core";
import { invalid } from "@postrider/http";
import type { EndpointTable } from "./endpoint-table.ts";

/** Of different filters: endpoints that share one count it once. */
const MAX_CHARACTERS = 50_000;

/** Null: the endpoint may have this filter beside those of the tenant's others. */
export function filtersProblem(
  table: Pick<EndpointTable, "entries">,
  of: Pick<Endpoint, "tenantId" | "filter"> & {
    readonly id: string | undefined;
  },
): Problem | null {
  if (of.filter === null) return null;
  const texts = new Set([of.filter]);
  let characters = of.filter.length;
  for (const [id, { tenantId, filter }] of table.entries()) {
    if (filter === null || tenantId !== of.tenantId || id === of.id) continue;
    if (texts.has(filter)) continue;
    texts.add(filter);
    characters += filter.length;
  }
  if (characters <= MAX_CHARACTERS) return null;
  return {
    field: "filter",
    rule: "max_of_tenant",
    message: `the different filters of a tenant have at most ${MAX_CHARACTERS} characters together; with this one they have ${characters}`,
  };
}

export function refuseTooLongFilters(
  table: Pick<EndpointTable, "entries">,
  endpoint: Pick<Endpoint, "id" | "tenantId" | "filter">,
): void {
  const problem = filtersProblem(table, endpoint);
  if (problem !== null) throw invalid([problem]);
}
