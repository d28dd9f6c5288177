import type { Endpoint } from "@postrider/core";

/** The endpoints table by tenant. Invariant: an endpoint stands under exactly the tenant that its latest record names. */
export class EndpointIndex {
  readonly #byTenant = new Map<string, Map<string, Endpoint>>();
  readonly #tenantOf = new Map<string, string>();

  /** Takes over a change of the table; `undefined` is a deletion. */
  set(endpointId: string, endpoint: Endpoint | undefined): void {
    const before = this.#tenantOf.get(endpointId);
    if (before !== undefined && before !== endpoint?.tenantId)
      this.#remove(before, endpointId);
    if (endpoint === undefined) return;
    const { tenantId } = endpoint;
    const endpoints = this.#byTenant.get(tenantId) ?? new Map();
    endpoints.set(endpointId, endpoint);
    this.#byTenant.set(tenantId, endpoints);
    this.#tenantOf.set(endpointId, tenantId);
  }

  of(tenantId: string): Iterable<Endpoint> {
    return this.#byTenant.get(tenantId)?.values() ?? [];
  }

  #remove(tenantId: string, endpointId: string): void {
    const endpoints = this.#byTenant.get(tenantId);
    endpoints?.delete(endpointId);
    if (endpoints?.size === 0) this.#byTenant.delete(tenantId);
    this.#tenantOf.delete(endpointId);
  }
}
