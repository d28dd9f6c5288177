import type { Query } from "../api/ask.ts";
import { searchTexts } from "../parts/search-texts.ts";

/** What may be in the URL of the list: the API's own parameters. */
const FILTERS = ["state", "tenantId", "createdBy", "since", "until"] as const;
export type ReplaySearch = {
  readonly [K in (typeof FILTERS)[number] | "cursor"]?: string;
};

export function replaySearch(
  given: Readonly<Record<string, unknown>>,
): ReplaySearch {
  return searchTexts([...FILTERS, "cursor"], given);
}

/** A cursor belongs to the filters that it was made with. */
export function withoutCursor(search: ReplaySearch): ReplaySearch {
  const { cursor: _, ...filters } = search;
  return filters;
}

export function hasFilters(search: ReplaySearch): boolean {
  return FILTERS.some((name) => search[name] !== undefined);
}

const PAGE_ROWS = 50;

export function replaysQuery(search: ReplaySearch): Query {
  return { ...search, limit: String(PAGE_ROWS) };
}
