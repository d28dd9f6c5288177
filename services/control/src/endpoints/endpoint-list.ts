import type { Endpoint } from "@postrider/core";
import { z } from "zod";
import { viewOf, type EndpointView } from "./endpoint.ts";
import type { PublicKeyOf } from "./public-keys.ts";
import { invalid } from "@postrider/http";
import { pageOf, pageQuery } from "../http/page.ts";
import { problemsOf } from "../http/zod-problems.ts";

export interface EndpointPage {
  readonly endpoints: readonly EndpointView[];
  /** Asks for the next page; null on the last page. */
  readonly nextCursor: string | null;
}

const listQuery = z.strictObject({
  tenantId: z.string().min(1).max(64).optional(),
  externalId: z.string().min(1).max(128).optional(),
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
  publicKeyOf: PublicKeyOf,
): EndpointPage {
  const wanted: Endpoint[] = [];
  for (const [, endpoint] of entries)
    if (isWanted(endpoint, query)) wanted.push(endpoint);
  const { page, nextCursor } = pageOf(wanted, query);
  return {
    endpoints: page.map((endpoint) => viewOf(endpoint, publicKeyOf)),
    nextCursor,
  };
}

function isWanted(endpoint: Endpoint, query: ListQuery): boolean {
  return (
    (query.tenantId === undefined || endpoint.tenantId === query.tenantId) &&
    (query.externalId === undefined || endpoint.externalId === query.externalId)
  );
}
