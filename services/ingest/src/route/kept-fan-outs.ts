import type { FanOut } from "@postrider/core";

/** So many fan-outs are kept, of so many endpoints each at most. Tenants and types may be any number; when one more comes, all are forgotten. */
const MOST = 10_000;
const MOST_ENDPOINTS = 100;

/** Fan-outs that were found lately, by tenant and event type. The owner forgets a tenant's whenever one of its endpoints changes. */
export class KeptFanOuts {
  readonly #byTenant = new Map<string, Map<string, FanOut>>();
  readonly #most: number;
  #count = 0;

  constructor(most = MOST) {
    this.#most = most;
  }

  get count(): number {
    return this.#count;
  }

  get(tenantId: string, type: string): FanOut | undefined {
    return this.#byTenant.get(tenantId)?.get(type);
  }

  keep(tenantId: string, type: string, found: FanOut): void {
    if (found.sent.length + found.disabledIds.length > MOST_ENDPOINTS) return;
    if (this.#count >= this.#most) {
      this.#byTenant.clear();
      this.#count = 0;
    }
    let byType = this.#byTenant.get(tenantId);
    if (byType === undefined)
      this.#byTenant.set(tenantId, (byType = new Map()));
    if (!byType.has(type)) this.#count++;
    byType.set(type, found);
  }

  forget(tenantId: string): void {
    this.#count -= this.#byTenant.get(tenantId)?.size ?? 0;
    this.#byTenant.delete(tenantId);
  }
}
