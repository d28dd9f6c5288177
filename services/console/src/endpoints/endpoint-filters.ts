import type { Query } from "../api/ask.ts";

/** What may be in the URL of the list: the API's own parameters. */
export const FILTERS = [
  "text",
  "state",
  "tenantId",
  "eventType",
  "externalId",
] as const;
export type Filter = (typeof FILTERS)[number];

/** The list's place in the URL: what is asked for, and on which page. */
export type EndpointSearch = { readonly [K in Filter | "cursor"]?: string };

/** Parses what is in the URL. What is no filter, or empty, is dropped: the API refuses parameters that it does not know. */
export function endpointSearch(
  given: Readonly<Record<string, unknown>>,
): EndpointSearch {
  return Object.fromEntries(
    [...FILTERS, "cursor"].flatMap((name) => {
      const value = given[name];
      return typeof value === "string" && value.trim() !== ""
        ? [[name, value.trim()]]
        : [];
    }),
  );
}

/** The same with some filters set or, where empty, removed. It begins at the first page: a cursor belongs to the filters that it was made with. */
export function withFilters(
  search: EndpointSearch,
  changed: EndpointSearch,
): EndpointSearch {
  const { cursor: _, ...filters } = search;
  return endpointSearch({ ...filters, ...changed });
}

export function countOf(search: EndpointSearch): number {
  return FILTERS.filter((name) => search[name] !== undefined).length;
}

/** As many as a series has groups: so one question has the health of the whole page. */
export const PAGE_ROWS = 20;

export function queryOf(search: EndpointSearch): Query {
  return { ...search, limit: String(PAGE_ROWS) };
}

/** The endpoint that a search text names; null where it is a part of a URL or a description. */
export function namedEndpoint(text: string): string | null {
  return /^ep_[\w-]{16,}$/.test(text.trim()) ? text.trim() : null;
}
