/**
 * The pace of an output: when its next request begins.
 *
 * A request costs us and the broker as much as forty records, and records that come one by one would otherwise each make one. So
 * from the beginning of a request to the beginning of the next one it is `PACE_MS` at least, and for a few records longer than for
 * `ENOUGH_RECORDS`. After a pause a record goes at once.
 *
 * Who sends one record after the other, each when the last is acknowledged, is waiting for us. So once as many wait as the last
 * request took, and none has come for `SILENCE_MS`, they go: perhaps there is nobody else to wait for.
 */
import type { MonotonicMs } from "@postrider/core";

/** From the beginning of a request to the beginning of the next one, at least, ms. */
const PACE_MS = 16;
/** The same, if `ENOUGH_RECORDS` wait. */
const QUICK_PACE_MS = 8;
const ENOUGH_RECORDS = 8;
const SILENCE_MS = 5;

/** The records that wait: at least one, and fewer than a whole batch, which would not wait. */
export interface Waiting {
  /** How many of them are hurried. */
  readonly hurried: number;
  /** When the last hurried record came. */
  readonly hurriedSince: MonotonicMs;
  /** When the first of the others stops waiting for more; `Infinity` without any. */
  readonly lingersUntil: MonotonicMs;
}

export class OutputPace {
  #begunAt: MonotonicMs = -Infinity;
  #taken = 0;

  /** When the next request begins, unless more records come. */
  dueAt({ hurried, hurriedSince, lingersUntil }: Waiting): MonotonicMs {
    if (hurried === 0) return lingersUntil;
    const paceMs = hurried < ENOUGH_RECORDS ? PACE_MS : QUICK_PACE_MS;
    const silentAt =
      hurried < this.#taken ? Infinity : hurriedSince + SILENCE_MS;
    return Math.min(this.#begunAt + paceMs, silentAt, lingersUntil);
  }

  /** A request began, with so many hurried records. */
  begun(at: MonotonicMs, hurried: number): void {
    this.#begunAt = at;
    this.#taken = hurried;
  }
}
