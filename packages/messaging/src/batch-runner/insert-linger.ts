/**
 * How long a partition's next batch waits for others. An insert costs the table much the same whatever is in it, so a partition
 * spends about a twentieth of its time on them while its batches are not full: where they take long, fewer and larger ones go.
 */
import type { MonotonicMs } from "@postrider/core";

const LINGER_PER_INSERT = 19;
const LONGEST_MS = 2_000;

export class InsertLinger {
  readonly #leastMs: number;
  readonly #monotonic: () => MonotonicMs;
  #earnedMs = 0;
  #endedAt: MonotonicMs = -Infinity;

  constructor(leastMs: number, monotonic: () => MonotonicMs) {
    this.#leastMs = leastMs;
    this.#monotonic = monotonic;
  }

  /** Runs an insert. What one took that the table did not answer, says nothing. */
  async time<T extends { readonly kind: string }>(
    insert: () => Promise<T>,
  ): Promise<T> {
    const startedAt = this.#monotonic();
    const result = await insert();
    if (result.kind === "inserted") {
      this.#endedAt = this.#monotonic();
      this.#earnedMs = Math.min(
        (this.#endedAt - startedAt) * LINGER_PER_INSERT,
        LONGEST_MS,
      );
    }
    return result;
  }

  /** For a batch whose first record came at `headSince`. After a rest as long as itself an earned wait lapses. */
  msFrom(headSince: MonotonicMs): number {
    const isRested = headSince - this.#endedAt > this.#earnedMs;
    return isRested ? this.#leastMs : Math.max(this.#leastMs, this.#earnedMs);
  }
}
