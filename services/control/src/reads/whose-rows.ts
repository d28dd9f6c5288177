/** Whose rows a request may see, by its key: the one place where a caller's tenant becomes a question's. */
import { invalid, type Caller } from "@postrider/http";
import type { FastifyRequest } from "fastify";
import type { Reader, Reading } from "./reader.ts";

/** Throws a `ControlProblem` for a tenant's key while tenants are not served. */
export function readingOf(
  reader: Reader,
  { tenantId }: Pick<Caller, "tenantId">,
): Reading {
  return tenantId === null ? reader : reader.ofTenant(tenantId);
}

/**
 * The request's query string, with the caller's own tenant as the parameter `name`. An operator's stays as it is. A tenant that
 * names another one is told so: an empty answer would look as if there were nothing.
 */
export function ownTenant(
  { query, caller }: Pick<FastifyRequest, "query" | "caller">,
  name = "tenantId",
): Readonly<Record<string, unknown>> {
  // fastify parses a query string into an object of texts, and arrays of texts
  const given = query as Readonly<Record<string, unknown>>;
  if (caller.tenantId === null) return given;
  if (given[name] !== undefined && given[name] !== caller.tenantId)
    throw invalid([
      {
        field: name,
        rule: "own",
        message: "must be the tenant of your key, or left out",
      },
    ]);
  return { ...given, [name]: caller.tenantId };
}
