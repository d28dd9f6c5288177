import type { Query } from "../api/ask.ts";
import { searchTexts } from "../parts/search-texts.ts";

/** What may be in the URL of the groups. `show` is `all` for those that have been delivered since, too. */
const GROUP_FILTERS = [
  "tenantId",
  "endpointId",
  "reason",
  "since",
  "until",
  "show",
] as const;
export type GroupFilter = (typeof GROUP_FILTERS)[number];
export type GroupSearch = { readonly [K in GroupFilter]?: string };

/** One group, and the page of its dead letters. */
const LETTER_FILTERS = [...GROUP_FILTERS, "statusCode", "cursor"] as const;
export type LetterSearch = {
  readonly [K in (typeof LETTER_FILTERS)[number]]?: string;
};

export function groupSearch(
  given: Readonly<Record<string, unknown>>,
): GroupSearch {
  return searchTexts(GROUP_FILTERS, given);
}

export function letterSearch(
  given: Readonly<Record<string, unknown>>,
): LetterSearch {
  return searchTexts(LETTER_FILTERS, given);
}

export const DEFAULT_SINCE = "7d";
export const MAX_GROUPS = 500;
const PAGE_ROWS = 50;

/** The saved query takes what the lists call `tenantId` as `tenant`. */
export function groupsQuery(search: GroupSearch): Query {
  const { tenantId, endpointId, reason, since = DEFAULT_SINCE, until } = search;
  return {
    tenant: tenantId,
    endpoint: endpointId,
    reason,
    since,
    until,
    limit: String(MAX_GROUPS),
  };
}

export function lettersQuery(search: LetterSearch): Query {
  const { show, since = DEFAULT_SINCE, ...rest } = search;
  return {
    ...rest,
    since,
    open: show === "all" ? undefined : "true",
    limit: String(PAGE_ROWS),
  };
}
