import { matchesType, type Endpoint } from "@postrider/core";
import { z } from "zod";
import {
  ENDPOINT_STATES,
  type EndpointPage,
  type EndpointView,
} from "./endpoint-view.ts";
import { invalid } from "@postrider/http";
import { pageOf, pageQuery } from "../http/page.ts";
import { problemsOf } from "../http/zod-problems.ts";

export const listQuery = z.strictObject({
  tenantId: z.string().min(1).max(64).optional(),
  externalId: z.string().min(1).max(128).optional(),
  state: z.enum(ENDPOINT_STATES).optional(),
  eventType: z.string().min(1).max(256).optional().meta({
    description:
      "Those that want events of this type; of a pattern such as `order.*`, those that have it",
  }),
  text: z.string().min(1).max(256).optional().meta({
    description:
      "A part of the id, externalId, description or URL, whatever its case",
  }),
  ...pageQuery,
});
export type ListQuery = z.infer<typeof listQuery>;

/** Throws a `ProblemError` that names every invalid parameter. */
export function parseListQuery(query: unknown): ListQuery {
  const parsed = listQuery.safeParse(query);
  if (!parsed.success) throw invalid(problemsOf(parsed.error));
  return parsed.data;
}

/** A page in the order of creation, oldest first. Whose they may be `ownTenant` (callers-tenant.ts) has put into the query. */
export function listEndpoints(
  entries: Iterable<readonly [string, Endpoint]>,
  query: ListQuery,
  viewOf: (endpoint: Endpoint) => EndpointView,
): EndpointPage {
  const wanted: Endpoint[] = [];
  for (const [, endpoint] of entries)
    if (isWanted(endpoint, query)) wanted.push(endpoint);
  const { page, nextCursor } = pageOf(wanted, query);
  return {
    endpoints: page.map(viewOf),
    nextCursor,
  };
}

function isWanted(endpoint: Endpoint, query: ListQuery): boolean {
  return (
    (query.tenantId === undefined || endpoint.tenantId === query.tenantId) &&
    (query.externalId === undefined ||
      endpoint.externalId === query.externalId) &&
    (query.state === undefined || endpoint.state === query.state) &&
    (query.eventType === undefined || wants(endpoint, query.eventType)) &&
    (query.text === undefined || hasText(endpoint, query.text))
  );
}

function wants({ eventTypes }: Endpoint, type: string): boolean {
  return type.endsWith("*")
    ? eventTypes.includes(type)
    : eventTypes.some((pattern) => matchesType(pattern, type));
}

function hasText(endpoint: Endpoint, text: string): boolean {
  const { id, externalId, description, url } = endpoint;
  const wanted = text.toLowerCase();
  return [id, externalId ?? "", description, url].some((each) =>
    each.toLowerCase().includes(wanted),
  );
}
