/**
 * How long the first record of a partition's next batch waits for others. An insert costs the table about the same however many rows
 * it has. So a partition whose batches are not full spends about a twentieth of its time on inserts: after an insert of t ms the next
 * batch waits 19 t, at most 2 s. If inserts take long, there are fewer and larger ones.
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

  /** Runs an insert and measures it. Inserts that the table did not take are not measured. */
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

  /** How long a batch waits whose first record came at `headSince`, ms. The measured wait no longer counts if the partition rested for longer than that wait since its last insert. */
  msFrom(headSince: MonotonicMs): number {
    const isRested = headSince - this.#endedAt > this.#earnedMs;
    return isRested ? this.#leastMs : Math.max(this.#leastMs, this.#earnedMs);
  }
}
