import {
  type Endpoint,
  type FanOut,
  fanOut,
  patternsOf,
} from "@postrider/core";
import { KeptFanOuts } from "./kept-fan-outs.ts";

/** One tenant's endpoints by id, and by each of their event type patterns. */
interface TenantEndpoints {
  readonly byId: Map<string, Endpoint>;
  readonly byPattern: Map<string, Map<string, Endpoint>>;
}

/**
 * Indexes the table of endpoints by tenant and event type pattern. So the cost of an event depends only on the endpoints
 * that match it, not on how many the tenant has. Invariant: an endpoint is indexed under exactly the tenant and the patterns
 * of its latest record; empty maps are removed; a kept fan-out is what a look-up now would find.
 */
export class EndpointIndex {
  readonly #tenants = new Map<string, TenantEndpoints>();
  readonly #tenantOf = new Map<string, string>();
  readonly #kept = new KeptFanOuts();

  /** Applies a change of the table; `undefined` is a deletion. */
  set(endpointId: string, endpoint: Endpoint | undefined): void {
    this.#remove(endpointId);
    if (endpoint === undefined) return;
    const { tenantId, eventTypes } = endpoint;
    const tenant = getOrMake(this.#tenants, tenantId, () => ({
      byId: new Map(),
      byPattern: new Map(),
    }));
    this.#kept.forget(tenantId);
    tenant.byId.set(endpointId, endpoint);
    for (const pattern of eventTypes)
      getOrMake(tenant.byPattern, pattern, () => new Map()).set(
        endpointId,
        endpoint,
      );
    this.#tenantOf.set(endpointId, tenantId);
  }

  /** Who gets an event of a type. The order is not defined. */
  fanOut(tenantId: string, type: string): FanOut {
    const kept = this.#kept.get(tenantId, type);
    if (kept !== undefined) return kept;
    const tenant = this.#tenants.get(tenantId);
    if (tenant === undefined) return fanOut([], 0);
    // A set, because several patterns of one endpoint may match the type.
    const wanting = new Set<Endpoint>();
    for (const found of foundUnder(tenant, type))
      for (const endpoint of found.values()) wanting.add(endpoint);
    const found = fanOut(wanting, tenant.byId.size);
    this.#kept.keep(tenantId, type, found);
    return found;
  }

  /** An upper bound for the number of endpoints that match a type. Cheaper than `fanOut`, but counts an endpoint once for each matching pattern. */
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
    // Both lookups succeed: an endpoint in #tenantOf is always in its tenant's byId.
    const { byId, byPattern } = this.#tenants.get(tenantId)!;
    this.#kept.forget(tenantId);
    for (const pattern of byId.get(endpointId)!.eventTypes) {
      byPattern.get(pattern)?.delete(endpointId);
      if (byPattern.get(pattern)?.size === 0) byPattern.delete(pattern);
    }
    byId.delete(endpointId);
    if (byId.size === 0) this.#tenants.delete(tenantId);
    this.#tenantOf.delete(endpointId);
  }
}

/** The endpoints of each pattern that matches the type. */
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
