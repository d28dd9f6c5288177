/** What a caller whose key has a tenant may name and see: the one place where a caller's tenant becomes a request's. */
import { isFields, type Fields } from "@postrider/core";
import { invalid, otherTenant, type Caller } from "@postrider/http";
import type { FastifyRequest } from "fastify";

/**
 * The body of a creation, with the tenant of the caller's key where it names none. Throws a `ProblemError` where it names another:
 * who has one tenant's key creates nothing for others. With a key of every tenant the body stays as it is.
 */
export function ofCallersTenant(
  body: unknown,
  callersTenant: Caller["tenantId"],
): unknown {
  return callersTenant === null || !isFields(body)
    ? body
    : withOwn(body, callersTenant, "tenantId");
}

/**
 * The request's query string, with the caller's own tenant as the parameter `name`. An operator's stays as it is. Throws a `ProblemError`
 * for a tenant that names another one.
 */
export function ownTenant(
  { query, caller }: Pick<FastifyRequest, "query" | "caller">,
  name = "tenantId",
): Fields {
  // fastify parses a query string into an object of texts, and arrays of texts
  const given = query as Fields;
  const { tenantId } = caller;
  return tenantId === null ? given : withOwn(given, tenantId, name);
}

function withOwn(given: Fields, callersTenant: string, name: string): Fields {
  const named = given[name];
  if (named !== undefined && named !== callersTenant)
    throw invalid([otherTenant(name)]);
  return { ...given, [name]: callersTenant };
}

/** Whether a caller may see what belongs to this tenant. What it may not see must look as if it did not exist. */
export function isVisible(
  of: { readonly tenantId: string | null },
  callersTenant: string | null,
): boolean {
  return callersTenant === null || of.tenantId === callersTenant;
}
