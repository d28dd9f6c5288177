/** Completions a second, over the last one to two seconds. */
import type { MonotonicMs } from "@postrider/core";

const WINDOW_MS = 1000;
/** A rate needs at least this long to be worth anything: a lane starts with two at once, over new connections, ms. */
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

  /** What was before says nothing of what comes. */
  restart(now: MonotonicMs): void {
    this.#from = now;
    this.#completed = this.#completedBefore = this.#beforeMs = 0;
  }

  /** Forgets what is older than the window. Call about once in a window. */
  turn(now: MonotonicMs): void {
    const elapsedMs = now - this.#from;
    if (elapsedMs < WINDOW_MS) return;
    this.#completedBefore = this.#completed;
    this.#beforeMs = elapsedMs;
    this.#completed = 0;
    this.#from = now;
  }

  /** `also` is taken as completed just now. Null while it is too early to say. */
  perSecond(now: MonotonicMs, also = 0): number | null {
    const ms = now - this.#from + this.#beforeMs;
    if (ms < SHORTEST_MEASURE_MS) return null;
    return ((this.#completedBefore + this.#completed + also) * 1000) / ms;
  }
}
