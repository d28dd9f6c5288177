import type { Endpoint } from "@postrider/core";
import { z } from "zod";
import { viewOf, type EndpointView } from "./endpoint.ts";
import type { PublicKeyOf } from "./public-keys.ts";
import { invalid } from "@postrider/http";
import { problemsOf } from "../http/zod-problems.ts";

export interface EndpointPage {
  readonly endpoints: readonly EndpointView[];
  /** Asks for the next page; null on the last page. */
  readonly nextCursor: string | null;
}

/** A position in the order of creation. It stays valid when endpoints are created or deleted in between. */
interface Place {
  readonly createdAt: number;
  readonly id: string;
}

const cursor = z.string().transform((text, context): Place => {
  const decoded = Buffer.from(text, "base64url").toString("utf8");
  const match = /^(\d{1,16})\/(.{1,128})$/.exec(decoded);
  if (match?.[1] !== undefined && match[2] !== undefined)
    return { createdAt: Number(match[1]), id: match[2] };
  context.addIssue({
    code: "custom",
    params: { rule: "cursor" },
    message: "is not a nextCursor of this list",
  });
  return z.NEVER;
});

const listQuery = z.strictObject({
  tenantId: z.string().min(1).max(64).optional(),
  externalId: z.string().min(1).max(128).optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  cursor: cursor.optional(),
});
export type ListQuery = z.infer<typeof listQuery>;

/** Throws a `ProblemError` that names every invalid parameter. */
export function parseListQuery(query: unknown): ListQuery {
  const parsed = listQuery.safeParse(query);
  if (!parsed.success) throw invalid(problemsOf(parsed.error));
  return parsed.data;
}

/** A page in the order of creation, oldest first. */
export function listEndpoints(
  entries: Iterable<readonly [string, Endpoint]>,
  query: ListQuery,
  publicKeyOf: PublicKeyOf,
): EndpointPage {
  const wanted: Endpoint[] = [];
  for (const [, endpoint] of entries)
    if (isWanted(endpoint, query)) wanted.push(endpoint);
  wanted.sort(byPlace);
  const page = wanted.slice(0, query.limit);
  const last = page.at(-1);
  return {
    endpoints: page.map((endpoint) => viewOf(endpoint, publicKeyOf)),
    nextCursor:
      last !== undefined && wanted.length > page.length ? cursorOf(last) : null,
  };
}

function isWanted(endpoint: Endpoint, query: ListQuery): boolean {
  return (
    (query.tenantId === undefined || endpoint.tenantId === query.tenantId) &&
    (query.externalId === undefined ||
      endpoint.externalId === query.externalId) &&
    (query.cursor === undefined || byPlace(endpoint, query.cursor) > 0)
  );
}

function byPlace(a: Place, b: Place): number {
  if (a.createdAt !== b.createdAt) return a.createdAt - b.createdAt;
  return a.id < b.id ? -1 : Number(a.id > b.id);
}

function cursorOf({ createdAt, id }: Place): string {
  return Buffer.from(`${createdAt}/${id}`).toString("base64url");
}
