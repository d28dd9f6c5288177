import type { AskedSelection } from "../api/answers-replays.ts";
import { searchTexts } from "../parts/search-texts.ts";

/** What the form asks for, as texts in the URL. */
export const ASKED = [
  "tenantId",
  "endpointId",
  "eventTypes",
  "statuses",
  "reason",
  "statusCode",
  "receivedSince",
  "receivedUntil",
  "deadSince",
  "deadUntil",
  "ratePerSecond",
] as const;
export type AskedField = (typeof ASKED)[number];
export type AskedSearch = { readonly [K in AskedField]?: string };

export function askedSearch(
  given: Readonly<Record<string, unknown>>,
): AskedSearch {
  return searchTexts(ASKED, given);
}

/** The body of the request. What is no number becomes null in JSON, which the API refuses by the name of its field. */
export function askedSelection(search: AskedSearch): AskedSelection {
  const { eventTypes, statuses, reason, statusCode, ratePerSecond, ...same } =
    search;
  return {
    ...same,
    ...(eventTypes !== undefined && { eventTypes: listed(eventTypes) }),
    ...(statuses !== undefined && { statuses: listed(statuses) }),
    ...(reason !== undefined && { reasons: [reason] }),
    ...(statusCode !== undefined && { statusCode: Number(statusCode) }),
    ...(ratePerSecond !== undefined && {
      ratePerSecond: Number(ratePerSecond),
    }),
  };
}

function listed(text: string): readonly string[] {
  return text
    .split(",")
    .map((each) => each.trim())
    .filter((each) => each !== "");
}
