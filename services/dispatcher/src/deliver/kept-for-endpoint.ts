import type { Delivery } from "@postrider/core";

type Owner = Pick<Delivery, "tenantId" | "endpointId">;

/**
 * What was opened of an endpoint's record. It is keyed by the sealed object itself: the table returns the same one until the endpoint
 * changes. What was opened for one endpoint is not found for another, whose AAD differs.
 */
export class KeptForEndpoint<Sealed extends object, Opened> {
  readonly #kept = new WeakMap<Sealed, Owner & { readonly opened: Opened }>();

  get(sealed: Sealed, { tenantId, endpointId }: Owner): Opened | undefined {
    const kept = this.#kept.get(sealed);
    const isOwn = kept?.tenantId === tenantId && kept.endpointId === endpointId;
    return isOwn ? kept.opened : undefined;
  }

  set(sealed: Sealed, { tenantId, endpointId }: Owner, opened: Opened): void {
    this.#kept.set(sealed, { tenantId, endpointId, opened });
  }
}
