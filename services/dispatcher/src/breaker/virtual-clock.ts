/** Gives the deliveries of one endpoint that must wait a slot each, in turn: a backlog waits once, and does not come back all at once. */
import type { MonotonicMs } from "@postrider/core";

export interface SlotRequest {
  readonly now: MonotonicMs;
  /** The earliest slot wanted. */
  readonly from: MonotonicMs;
  /** How far the slot after this one is away from it, ms. */
  readonly stepMs: number;
}

/**
 * A slot is no further away than this, ms (docs/adr/0007): the endpoint may be well long before a longer wait would be over, and
 * a delivery cannot be called back from a tier. What has no room before it gets the furthest slot.
 */
export const FURTHEST_SLOT_MS = 300_000;

export class VirtualClock {
  #next: MonotonicMs = 0;

  /** Reserves the next free slot. Slots never move back: the earlier ones belong to deliveries that wait already. */
  reserve({ now, from, stepMs }: SlotRequest): MonotonicMs {
    const furthest = now + FURTHEST_SLOT_MS;
    const slot = Math.max(this.#next, from);
    this.#next = Math.max(this.#next, Math.min(slot + stepMs, furthest));
    return Math.min(slot, furthest);
  }

  /** A slot that was given is still to come: a delivery waits. */
  hasReserved(now: MonotonicMs): boolean {
    return this.#next > now;
  }
}
