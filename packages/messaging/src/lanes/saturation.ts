/**
 * Whether this process itself is what its records wait for: its event loop is busy, it has as many handlers at work as it
 * may, or its output or commits hold it up. Looks back about a second; and a fifth of one, because a burst that follows
 * upon idleness saturates a process at once.
 */
import type { MonotonicMs } from "@postrider/core";

/** What the event loop has done so far, ms: `performance.eventLoopUtilization()` is of this shape. */
export interface LoopUse {
  readonly active: number;
  readonly idle: number;
}

interface Sample extends LoopUse {
  readonly at: MonotonicMs;
}

/**
 * Half, because what a loop waits for on a machine that others use too counts as idle; and a loop that is busy for half of
 * the time completes thousands a second, beside which a slow lane still shows.
 */
const BUSY = 0.5;
const WINDOW_MS = 1000;
const SHORT_WINDOW_MS = 200;

export class Saturation {
  readonly #loopUse: () => LoopUse;
  /** Ascending; the first is about a window old. */
  #samples: Sample[] = [];
  #limitedAt: MonotonicMs = -Infinity;

  constructor(loopUse: () => LoopUse) {
    this.#loopUse = loopUse;
  }

  /** Call about every 50 ms. */
  sample(now: MonotonicMs): void {
    const { active, idle } = this.#loopUse();
    this.#samples.push({ at: now, active, idle });
    const oldest = this.#samples.findLastIndex(
      ({ at }) => now - at >= WINDOW_MS,
    );
    if (oldest > 0) this.#samples.splice(0, oldest);
  }

  /** A bound of ours keeps a record from starting. */
  limited(now: MonotonicMs): void {
    this.#limitedAt = now;
  }

  isSaturated(now: MonotonicMs): boolean {
    if (now - this.#limitedAt <= WINDOW_MS) return true;
    const use = this.#loopUse();
    const lately = this.#samples.findLast(
      ({ at }) => now - at >= SHORT_WINDOW_MS,
    );
    return [lately, this.#samples[0]].some(
      (since) => since !== undefined && shareOf(since, use) >= BUSY,
    );
  }
}

function shareOf(since: LoopUse, now: LoopUse): number {
  const active = now.active - since.active;
  const idle = now.idle - since.idle;
  return active + idle > 0 ? active / (active + idle) : 0;
}
