/** Why endpoints of the tenant were not named when an event was routed. Pure. What an endpoint was like then is not stored, so it is judged by what it is now and when that came about. */
import { matchesType, type Endpoint, type EpochMs } from "@postrider/core";
import { rfc3339 } from "../../http/rfc3339.ts";
import { MAX_ENDPOINTS, shownEndpoint } from "./endpoint-now.ts";
import {
  NOT_NAMED_REASONS,
  type NotNamed,
  type NotNamedReason,
} from "./explanation.ts";

export function notNamed(of: {
  readonly type: string;
  readonly decidedAt: EpochMs;
  /** As counted when the event was routed. */
  readonly countThen: number;
  /** The endpoints that the decision named. */
  readonly named: ReadonlySet<string>;
  /** Those of the tenant alone. */
  readonly endpoints: Iterable<Endpoint>;
}): NotNamed {
  const byReason = Object.fromEntries(
    NOT_NAMED_REASONS.map((reason) => [reason, 0]),
  ) as Record<NotNamedReason, number>; // a count for each of the list
  const wanting: NotNamed["endpoints"][number][] = [];
  const others: NotNamed["endpoints"][number][] = [];
  for (const endpoint of of.endpoints) {
    if (of.named.has(endpoint.id)) continue;
    const reason = whyNotNamed(endpoint, of);
    byReason[reason] += 1;
    const wantsItNow = wants(endpoint, of.type);
    const list = wantsItNow ? wanting : others;
    if (list.length < MAX_ENDPOINTS)
      list.push({
        ...shownEndpoint(endpoint),
        reason,
        wantsItNow,
        createdAt: rfc3339(endpoint.createdAt),
        updatedAt: rfc3339(endpoint.updatedAt),
      });
  }
  return {
    countThen: of.countThen,
    byReason,
    endpoints: [...wanting, ...others].slice(0, MAX_ENDPOINTS),
  };
}

/** An endpoint that wants the type, and is older than the decision and unchanged since, was not in route's table yet: it is a moment behind. */
function whyNotNamed(
  endpoint: Endpoint,
  { type, decidedAt }: { readonly type: string; readonly decidedAt: EpochMs },
): NotNamedReason {
  if (endpoint.createdAt > decidedAt) return "created_later";
  if (!wants(endpoint, type)) return "event_types";
  return endpoint.updatedAt > decidedAt ? "changed_later" : "not_read_yet";
}

function wants({ eventTypes }: Endpoint, type: string): boolean {
  return eventTypes.some((pattern) => matchesType(pattern, type));
}
