/** What a caller whose key has a tenant may name and see. */
import { invalid } from "@postrider/http";

/**
 * The body of a creation, with the tenant of the caller's key where it names none. Throws a `ProblemError` where it names another:
 * who has one tenant's key creates nothing for others. With a key of every tenant the body stays as it is.
 */
export function ofCallersTenant(
  body: unknown,
  callersTenant: string | null,
): unknown {
  if (callersTenant === null || !isObject(body)) return body;
  const { tenantId } = body;
  if (tenantId === undefined) return { ...body, tenantId: callersTenant };
  if (tenantId === callersTenant) return body;
  throw invalid([
    {
      field: "tenantId",
      rule: "key_tenant",
      message: "must be the tenant of the key, or be left out",
    },
  ]);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a caller may see what belongs to this tenant. What it may not see must look as if it did not exist. */
export function isVisible(
  of: { readonly tenantId: string | null },
  callersTenant: string | null,
): boolean {
  return callersTenant === null || of.tenantId === callersTenant;
}
