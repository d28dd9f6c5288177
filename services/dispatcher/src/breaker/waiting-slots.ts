/**
 * When the deliveries of one endpoint come back that its breaker or a hold by `Retry-After` keeps waiting.
 *
 *     for an open breaker        PROBES of them at the moment at which it half-opens, the others from a second later on
 *     while probes are under way behind the others, and so late that the probes are likely decided
 *     for a hold                 from its end on, as many a second as the endpoint took before
 */
import type { MonotonicMs } from "@postrider/core";
import { FURTHEST_SLOT_MS } from "@postrider/messaging";
import { PROBES, type Breaker } from "./breaker.ts";
import { VirtualClock } from "./virtual-clock.ts";

/** The distance between two slots: 100 a second. Once the deliveries are back, the endpoint's concurrency protects it. After a hold an endpoint that took more gets more: otherwise a pause of a second would cost one that takes 1,000 a second 10 s, and the next pause would come on top. */
const STEP_MS = 10;
/** The slots after the probes begin so much later, ms: time for the probes to be answered. */
const AFTER_PROBES_MS = 1_000;
/** A delivery that finds the probes under way waits at least this, ms, and as long as they have been under way already: so it comes back a few times at most, however long they take. */
const PROBING_WAIT_MS = 2_000;

export class WaitingSlots {
  readonly #clock = new VirtualClock();
  /** Probe slots given since the breaker last changed. */
  #probeSlots = 0;
  #heldStepMs = STEP_MS;
  /** Until then, deliveries may come back that another process deferred. */
  #othersUntil: MonotonicMs = 0;

  /** Reserves the slot of a delivery that must wait. */
  reserve(
    breaker: Breaker,
    heldUntil: MonotonicMs,
    now: MonotonicMs,
  ): MonotonicMs {
    const from = (wanted: MonotonicMs, stepMs = STEP_MS): MonotonicMs =>
      this.#clock.reserve({ now, from: Math.max(wanted, heldUntil), stepMs });
    switch (breaker.state) {
      case "closed":
        return from(heldUntil, this.#heldStepMs);
      case "half_open":
        return from(now + Math.max(PROBING_WAIT_MS, breaker.halfOpenMs(now)));
      case "open": {
        const probesAt = Math.max(breaker.openUntil, heldUntil);
        if (this.#probeSlots >= PROBES) return from(probesAt + AFTER_PROBES_MS);
        this.#probeSlots += 1;
        return probesAt;
      }
    }
  }

  /** A hold begins, or is confirmed, at an endpoint that took so many attempts a second until now. */
  held(perSecond: number): void {
    this.#heldStepMs = Math.min(STEP_MS, 1_000 / perSecond);
  }

  /** How many deliveries there are to probe with. At least one: the one that was just answered. */
  probesToCome(now: MonotonicMs): number {
    const doOthersWait =
      this.#clock.hasReserved(now) || now < this.#othersUntil;
    return doOthersWait ? PROBES : Math.max(1, this.#probeSlots);
  }

  /** Deliveries wait that another process deferred. */
  expectOthers(now: MonotonicMs): void {
    this.#othersUntil = now + FURTHEST_SLOT_MS;
  }

  /** The breaker changed: when it opens the next time, there are probe slots again. */
  changed(): void {
    this.#probeSlots = 0;
  }
}
