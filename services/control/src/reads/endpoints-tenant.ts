/** Whose rows a question is about that names an endpoint and no tenant. */
import type { EndpointTable } from "../endpoints/endpoint-table.ts";

export type KnownEndpoints = Pick<EndpointTable, "get">;

/**
 * What is asked, with the tenant of its endpoint where it names none. The rows are ordered by tenant first, so ClickHouse finds those of an
 * endpoint only with its tenant; without, it looks through those of every tenant. The answer is the same: an endpoint never changes its
 * tenant. One that is not known here, because it is deleted or in an event, is looked for among all.
 */
export function withEndpointsTenant<
  Asked extends {
    readonly tenantId?: string | undefined;
    readonly endpointId?: string | undefined;
  },
>(asked: Asked, endpoints: KnownEndpoints): Asked {
  const { tenantId, endpointId } = asked;
  if (tenantId !== undefined || endpointId === undefined) return asked;
  const endpoint = endpoints.get(endpointId);
  return endpoint === undefined
    ? asked
    : { ...asked, tenantId: endpoint.tenantId };
}
