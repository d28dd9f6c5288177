/** Whose rows a question is about that names endpoints and no tenant. */
import type { EndpointTable } from "../endpoints/endpoint-table.ts";

export type KnownEndpoints = Pick<EndpointTable, "get">;

/**
 * What is asked, with the tenant of its endpoint where it names none, or of its endpoints where these have the same. The rows are ordered by
 * tenant first, so ClickHouse finds those of an endpoint only with its tenant; without, it looks through those of every tenant. The answer is
 * the same: an endpoint never changes its tenant. One that is not known here, because it is deleted or in an event, is looked for among all.
 */
export function withEndpointsTenant<
  Asked extends {
    readonly tenantId?: string | undefined;
    readonly endpointId?: string | undefined;
    readonly endpointIds?: readonly string[] | undefined;
  },
>(asked: Asked, endpoints: KnownEndpoints): Asked {
  const { tenantId, endpointId, endpointIds } = asked;
  const ids = endpointIds ?? (endpointId === undefined ? [] : [endpointId]);
  if (tenantId !== undefined) return asked;
  const tenants = new Set(ids.map((id) => endpoints.get(id)?.tenantId));
  const [tenant] = tenants;
  return tenants.size !== 1 || tenant === undefined
    ? asked
    : { ...asked, tenantId: tenant };
}
