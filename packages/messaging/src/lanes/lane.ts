import type { EpochMs, MonotonicMs } from "@postrider/core";
import type { Throttle } from "./throttled-lanes.ts";
import { CompletionRate } from "./completion-rate.ts";
import type { Linked } from "./fifo.ts";
import type { Share, SlotLane } from "./standing-queues.ts";

/** An entry of a lane's queue. The owner extends it; only `Lanes` sets `lane` and the links. */
export interface Queued<E> extends Linked<E> {
  lane: Lane<E> | null;
  /** The record waits in memory for its turn by a rate limit. Only `farTurns` sets it. */
  isInTurn: boolean;
}

/** A record that leaves its lane, and the slot that is reserved for it. */
export interface Relieved<E> {
  readonly entry: E;
  readonly slotAt: EpochMs;
  /** The slot is the record's turn by the lane's rate limit. */
  readonly isTurn: boolean;
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
  /** Set while its rate limit lets no record start. Only `ThrottledLanes` changes it. */
  throttle: Throttle | null = null;
  /** The turns that a rate limit's deferrals have reserved (far-turns.ts): when the next one is free, and at which rate. */
  nextTurn: { readonly at: EpochMs; readonly perSecond: number } | null = null;
  /** The next slot that a deferral may reserve: a time ahead of now, which each deferral moves on (the lane's virtual clock). */
  nextSlotAt: EpochMs = 0;

  /** For so many turns more (`turn`) the lane counts as one whose records end at once. */
  #atOnceTurns = 0;
  /** Completions since the lane has had a queue. Without a queue the rate would measure how many records arrive, not how many the lane can complete. */
  readonly #rate: CompletionRate;

  constructor(name: string, share: Share<Lane<E>>, now: MonotonicMs) {
    this.name = name;
    this.share = share;
    this.#rate = new CompletionRate(now);
  }

  /** Nothing of the lane is in memory, and no slot or turn of its records is still to come. */
  isForgettable(now: EpochMs): boolean {
    const isEmpty = this.queued === 0 && this.inFlight === 0;
    const turnAt = this.nextTurn?.at ?? 0;
    return isEmpty && this.nextSlotAt <= now && turnAt <= now;
  }

  /**
   * How long the lane may wait for a slot because of its standing, ms: it is ready, is not proven, and has no record in flight.
   * Null if it does not wait for that reason, or while it is too early to tell.
   */
  heldBackMs(now: MonotonicMs): number | null {
    const isHeldBack =
      this.isReady &&
      this.inFlight === 0 &&
      this.share.standing.name !== "proven" &&
      this.#rate.perSecond(now) !== null;
    return isHeldBack ? this.share.waitMs(now) : null;
  }

  get rate(): Pick<CompletionRate, "completedOne" | "restart"> {
    return this.#rate;
  }

  /** A record ended as soon as it had started, within the last one to two seconds: records of the lane are deferred or parked, and wait for nobody. */
  get endsAtOnce(): boolean {
    return this.#atOnceTurns > 0;
  }

  endedAtOnce(): void {
    this.#atOnceTurns = 2;
  }

  /** Call each second. */
  turn(now: MonotonicMs): void {
    this.#rate.turn(now);
    if (this.#atOnceTurns > 0) this.#atOnceTurns--;
  }

  /** Completions a second over the last one to two seconds; null while it is too early to tell. */
  completedPerSecond(now: MonotonicMs): number | null {
    return this.#rate.perSecond(now);
  }

  /** Like `completedPerSecond`, but counts records in flight as just completed. This errs on the side of the lane: it is called slow only if it certainly is. */
  ratePerSecond(now: MonotonicMs): number | null {
    return this.#rate.perSecond(now, this.inFlight);
  }
}
