/** Gives the deliveries of one endpoint that must wait a slot each, in turn: a backlog waits once, and does not come back all at once. */
import type { MonotonicMs } from "@postrider/core";
import { FURTHEST_SLOT_MS, reserveSlot } from "@postrider/messaging";

export interface SlotRequest {
  readonly now: MonotonicMs;
  /** The earliest slot wanted. */
  readonly from: MonotonicMs;
  /** How far the slot after this one is away from it, ms. */
  readonly stepMs: number;
}

export class VirtualClock {
  /** The next free slot. */
  nextSlotAt: MonotonicMs = 0;

  /** No slot is further away than five minutes (docs/adr/0007). */
  reserve({ now, from, stepMs }: SlotRequest): MonotonicMs {
    const furthestAt = now + FURTHEST_SLOT_MS;
    return reserveSlot(this, { from, stepMs, furthestAt });
  }

  /** A slot that was given is still to come: a delivery waits. */
  hasReserved(now: MonotonicMs): boolean {
    return this.nextSlotAt > now;
  }
}
