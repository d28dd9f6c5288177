import type { EpochMs, MonotonicMs } from "@postrider/core";
import { CompletionRate } from "./completion-rate.ts";
import type { Linked } from "./fifo.ts";
import type { Share, SlotLane } from "./slot-share.ts";

/** What can stand in a lane's queue. Owners extend it; lane and links belong to `Lanes`. */
export interface Queued<E> extends Linked<E> {
  lane: Lane<E> | null;
}

export class Lane<E> implements SlotLane<Lane<E>> {
  readonly name: string;
  oldest: E | null = null;
  newest: E | null = null;
  queued = 0;
  inFlight = 0;
  isReady = false;
  ahead: Lane<E> | null = null;
  behind: Lane<E> | null = null;
  share: Share<Lane<E>>;
  /** The lane's virtual clock: the next slot that a deferral may reserve. */
  nextSlotAt: EpochMs = 0;

  /** What it completes since it has had a queue: without one it would tell what arrives, not what the lane is able to. */
  readonly #rate: CompletionRate;

  constructor(name: string, share: Share<Lane<E>>, now: MonotonicMs) {
    this.name = name;
    this.share = share;
    this.#rate = new CompletionRate(now);
  }

  /**
   * How long it may wait for a slot, ms, where that is up to its standing: it is not known to answer, and nothing of it is in
   * flight. Null where it does not wait so, or while it is too early to say.
   */
  heldBackMs(now: MonotonicMs): number | null {
    const isHeldBack =
      this.isReady &&
      this.inFlight === 0 &&
      this.share.standing.name !== "proven" &&
      this.#rate.perSecond(now) !== null;
    return isHeldBack ? this.share.waitMs(now) : null;
  }

  get rate(): Pick<CompletionRate, "completedOne" | "restart" | "turn"> {
    return this.#rate;
  }

  /** Completions a second lately; null while it is too early to say. */
  completedPerSecond(now: MonotonicMs): number | null {
    return this.#rate.perSecond(now);
  }

  /** The same, taking what is in flight as just completing: generous, so that a lane is called slow only when it is. */
  ratePerSecond(now: MonotonicMs): number | null {
    return this.#rate.perSecond(now, this.inFlight);
  }
}
