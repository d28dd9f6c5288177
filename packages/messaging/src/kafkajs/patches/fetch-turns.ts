/**
 * When the next fetch of a member may begin, and how long the broker may keep it.
 *
 * A fetch is answered at the first record that comes, and costs us and the broker as much as dozens of records. So after a
 * fetch that brought all that there was, the next one begins `FETCH_EVERY_MS` after it at the earliest: what several producers
 * write meanwhile comes together. One that finds more than it may bring, or that was under way for longer, delays nothing.
 *
 * A broker that has nothing keeps a fetch for the member's longest wait. Only while a partition is left out of the fetches,
 * because it is paused or held back (reread.ts), the wait is short (`SHORT_WAIT_MS`): a resume or a seek takes effect with the
 * next fetch.
 */
import type { MonotonicMs } from "@postrider/core";

/** From the beginning of a fetch to the beginning of the next one from the same broker, at least, ms. */
export const FETCH_EVERY_MS = 5;
/** How long a fetch may be kept while a partition is left out, ms. */
export const SHORT_WAIT_MS = 100;

/** What a fetch brought of one partition. */
export interface Brought {
  /** Where the next fetch of the partition begins. */
  readonly position: number;
  readonly highWatermark: number;
}

export class FetchTurns {
  readonly #monotonic: () => MonotonicMs;
  readonly #longestWaitMs: number;
  /** By broker: when its last fetch began, and whether that brought all that there was. */
  readonly #last = new Map<string, { begunAt: MonotonicMs; isAll: boolean }>();

  constructor(monotonic: () => MonotonicMs, longestWaitMs: number) {
    this.#monotonic = monotonic;
    this.#longestWaitMs = longestWaitMs;
  }

  /** How long the next fetch from this broker is put off, ms. */
  pauseMs(nodeId: string): number {
    const last = this.#last.get(nodeId);
    if (last?.isAll !== true) return 0;
    return Math.max(0, last.begunAt + FETCH_EVERY_MS - this.#monotonic());
  }

  /** How long a broker without records may keep a fetch, ms. */
  waitMs(isAnyLeftOut: boolean): number {
    return isAnyLeftOut
      ? Math.min(SHORT_WAIT_MS, this.#longestWaitMs)
      : this.#longestWaitMs;
  }

  begun(nodeId: string): void {
    this.#last.set(nodeId, { begunAt: this.#monotonic(), isAll: false });
  }

  answered(nodeId: string, brought: readonly Brought[]): void {
    const last = this.#last.get(nodeId);
    if (last === undefined || brought.length === 0) return;
    last.isAll = brought.every(
      ({ position, highWatermark }) => position >= highWatermark,
    );
  }
}
