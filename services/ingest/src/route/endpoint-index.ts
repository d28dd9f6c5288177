import {
  type Endpoint,
  type FanOut,
  fanOut,
  patternsOf,
} from "@postrider/core";

/** One tenant's endpoints by id, and by each pattern that they name. */
interface TenantEndpoints {
  readonly byId: Map<string, Endpoint>;
  readonly byPattern: Map<string, Map<string, Endpoint>>;
}

/**
 * The endpoints table by tenant and event type pattern, so that an event costs what its own endpoints cost, however many
 * others the tenant has. Invariant: an endpoint stands under exactly the tenant and the patterns that its latest record
 * names; what is empty is not kept.
 */
export class EndpointIndex {
  readonly #tenants = new Map<string, TenantEndpoints>();
  readonly #tenantOf = new Map<string, string>();

  /** Takes over a change of the table; `undefined` is a deletion. */
  set(endpointId: string, endpoint: Endpoint | undefined): void {
    this.#remove(endpointId);
    if (endpoint === undefined) return;
    const { tenantId, eventTypes } = endpoint;
    const tenant = getOrMake(this.#tenants, tenantId, () => ({
      byId: new Map(),
      byPattern: new Map(),
    }));
    tenant.byId.set(endpointId, endpoint);
    for (const pattern of eventTypes)
      getOrMake(tenant.byPattern, pattern, () => new Map()).set(
        endpointId,
        endpoint,
      );
    this.#tenantOf.set(endpointId, tenantId);
  }

  /** Who gets an event of a type, in no order that anybody may rely on. */
  fanOut(tenantId: string, type: string): FanOut {
    const tenant = this.#tenants.get(tenantId);
    if (tenant === undefined) return fanOut([], 0);
    // A set: an endpoint may name several patterns that want the type.
    const wanting = new Set<Endpoint>();
    for (const found of foundUnder(tenant, type))
      for (const endpoint of found.values()) wanting.add(endpoint);
    return fanOut(wanting, tenant.byId.size);
  }

  /** How many endpoints an event of a type may have at most: cheaper than to ask for them. */
  mostWanting(tenantId: string, type: string): number {
    const tenant = this.#tenants.get(tenantId);
    if (tenant === undefined) return 0;
    let most = 0;
    for (const found of foundUnder(tenant, type)) most += found.size;
    return most;
  }

  #remove(endpointId: string): void {
    const tenantId = this.#tenantOf.get(endpointId);
    if (tenantId === undefined) return;
    // An endpoint that is known stands under its tenant.
    const { byId, byPattern } = this.#tenants.get(tenantId)!;
    for (const pattern of byId.get(endpointId)!.eventTypes) {
      byPattern.get(pattern)?.delete(endpointId);
      if (byPattern.get(pattern)?.size === 0) byPattern.delete(pattern);
    }
    byId.delete(endpointId);
    if (byId.size === 0) this.#tenants.delete(tenantId);
    this.#tenantOf.delete(endpointId);
  }
}

/** The endpoints under each pattern that wants the type. */
function* foundUnder(
  { byPattern }: TenantEndpoints,
  type: string,
): Generator<ReadonlyMap<string, Endpoint>> {
  for (const pattern of patternsOf(type)) {
    const found = byPattern.get(pattern);
    if (found !== undefined) yield found;
  }
}

function getOrMake<V>(map: Map<string, V>, key: string, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
