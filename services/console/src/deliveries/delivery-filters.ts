import type { Query } from "../api/ask.ts";

/** What may be in the URL of the list: the API's own parameters. */
export const FILTERS = [
  "status",
  "tenantId",
  "endpointId",
  "eventType",
  "eventId",
  "outcome",
  "statusCode",
  "deferralReason",
  "deadLetterReason",
  "replayId",
  "minAttempts",
  "maxAttempts",
  "since",
  "until",
  "text",
] as const;
export type Filter = (typeof FILTERS)[number];

/** The outcomes that the filter offers. Declared a second time, as the answers are (api/answers.ts); tests/console-answers.test.ts holds them against the vocabulary. */
export const OUTCOMES = [
  "delivered",
  "http_error",
  "redirect",
  "timeout",
  "connection_refused",
  "connection_reset",
  "connection_closed",
  "tls_error",
  "dns_error",
  "protocol_error",
  "response_too_large",
  "blocked",
] as const;

/** The list's place in the URL: what is asked for, on which page, and whether its first page is followed (`live`, of which any text is a yes). */
export type DeliverySearch = {
  readonly [K in Filter | "cursor" | "live"]?: string;
};

/** Parses what is in the URL. What is no filter, or empty, is dropped: the API refuses parameters that it does not know. */
export function deliverySearch(
  given: Readonly<Record<string, unknown>>,
): DeliverySearch {
  const parsed: DeliverySearch = Object.fromEntries(
    [...FILTERS, "cursor", "live"].flatMap((name) => {
      const value = given[name];
      return typeof value === "string" && value.trim() !== ""
        ? [[name, value.trim()]]
        : [];
    }),
  );
  return parsed.cursor === undefined ? parsed : withoutLive(parsed);
}

/** What comes in is on the first page alone. */
function withoutLive(search: DeliverySearch): DeliverySearch {
  const { live: _, ...rest } = search;
  return rest;
}

/** The same with some filters set or, where empty, removed. It begins at the first page: a cursor belongs to the filters that it was made with. */
export function withFilters(
  search: DeliverySearch,
  changed: DeliverySearch,
): DeliverySearch {
  const { cursor: _, ...filters } = search;
  return deliverySearch({ ...filters, ...changed });
}

export function countOf(search: DeliverySearch): number {
  return FILTERS.filter((name) => search[name] !== undefined).length;
}

export const PAGE_ROWS = 50;

export function queryOf(search: DeliverySearch): Query {
  return { ...withoutLive(search), limit: String(PAGE_ROWS) };
}

/** One or several of a closed list, as the API takes them: `pending,failed`. */
export function chosen(value: string | undefined): readonly string[] {
  return value === undefined ? [] : value.split(",");
}

/** Adds the word, or takes it away where it is there. */
export function toggled(value: string | undefined, word: string): string {
  const words = chosen(value);
  return (
    words.includes(word)
      ? words.filter((each) => each !== word)
      : [...words, word]
  ).join(",");
}

/** The event that a search text names. Publishers choose ids; those that begin otherwise are found by the filter. */
export function namedEvent(text: string): string | null {
  return /^evt[\w.:-]*$/.test(text.trim()) ? text.trim() : null;
}

/** The delivery that a search text names; null where it is a part of an error. */
export function namedDelivery(text: string): string | null {
  return /^dlv_[\w-]+$/.test(text.trim()) ? text.trim() : null;
}
