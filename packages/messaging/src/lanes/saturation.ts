/**
 * Whether this process itself is the bottleneck: its event loop is busy, it runs as many handlers as it may, or its output or
 * commits stall. It looks at the last second, and also at the last 200 ms, because a burst after an idle time saturates a process
 * at once.
 */
import type { MonotonicMs } from "@postrider/core";

/** How long the event loop has been active and idle so far, ms. `performance.eventLoopUtilization()` has this shape. */
export interface LoopUse {
  readonly active: number;
  readonly idle: number;
}

interface Sample extends LoopUse {
  readonly at: MonotonicMs;
}

/**
 * The share of active time from which a loop is busy. Only half: on a machine that others use, time in which the loop waits for a
 * CPU counts as idle. And a loop that is busy half of the time completes thousands a second, so a slow lane still stands out.
 */
const BUSY = 0.5;
const WINDOW_MS = 1000;
const SHORT_WINDOW_MS = 200;

export class Saturation {
  readonly #loopUse: () => LoopUse;
  /** Ascending by time; the first is about a second old. */
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

  /** Call when a limit of this process keeps a record from starting. It then counts as saturated for a second. */
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
