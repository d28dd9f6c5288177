/** Measures completions a second, over the last one to two seconds. */
import type { MonotonicMs } from "@postrider/core";

const WINDOW_MS = 1000;
/** A rate is not given before this long, ms: a lane starts with two records at once and over new connections, so an early rate would be too low. */
const SHORTEST_MEASURE_MS = WINDOW_MS;

export class CompletionRate {
  #from: MonotonicMs;
  #completed = 0;
  #completedBefore = 0;
  #beforeMs = 0;

  constructor(now: MonotonicMs) {
    this.#from = now;
  }

  completedOne(): void {
    this.#completed++;
  }

  /** Begins to measure anew: earlier completions no longer count. */
  restart(now: MonotonicMs): void {
    this.#from = now;
    this.#completed = this.#completedBefore = this.#beforeMs = 0;
  }

  /** Forgets completions that are older than the window. Call about once a second. */
  turn(now: MonotonicMs): void {
    const elapsedMs = now - this.#from;
    if (elapsedMs < WINDOW_MS) return;
    this.#completedBefore = this.#completed;
    this.#beforeMs = elapsedMs;
    this.#completed = 0;
    this.#from = now;
  }

  /** The rate; null while it is too early to tell. `also`: so many more are counted as just completed. */
  perSecond(now: MonotonicMs, also = 0): number | null {
    const ms = now - this.#from + this.#beforeMs;
    if (ms < SHORTEST_MEASURE_MS) return null;
    return ((this.#completedBefore + this.#completed + also) * 1000) / ms;
  }
}
