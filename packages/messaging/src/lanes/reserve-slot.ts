/** Gives records that must wait a slot each, in turn: a backlog waits once, and does not come back all at once. */

/**
 * An ordinary slot is no further away than this, ms, like the longest ordinary retry (docs/adr/0007): the endpoint may be well long
 * before a longer wait would be over, and a record cannot be called back from a tier.
 */
export const FURTHEST_SLOT_MS = 300_000;

/** Times of one clock, monotonic or epoch, ms. */
export interface SlotRequest {
  /** The earliest slot wanted. */
  readonly from: number;
  /** How far the slot after this one is away from it. */
  readonly stepMs: number;
  /** What has no room before this gets this slot. */
  readonly furthestAt: number;
}

/** Reserves the next free slot of a virtual clock. Slots never move back: the earlier ones belong to records that wait already. */
export function reserveSlot(
  clock: { nextSlotAt: number },
  { from, stepMs, furthestAt }: SlotRequest,
): number {
  const slotAt = Math.max(clock.nextSlotAt, from);
  clock.nextSlotAt = Math.max(
    clock.nextSlotAt,
    Math.min(slotAt + stepMs, furthestAt),
  );
  return Math.min(slotAt, furthestAt);
}
