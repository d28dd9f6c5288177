/**
 * How many requests each key may send to this process: a token bucket per key. A bucket is one number, the time at which it will
 * be full again. So a bucket that is full by now is like none, and is forgotten.
 */
import type { KeyLimit, MonotonicMs } from "@postrider/core";

const SWEEP_EVERY_MS = 60_000;
/** Sums of fractions of a millisecond may miss the exact time by this much, ms. */
const ROUNDING_MS = 1e-6;

export class KeyLimits {
  readonly #fullAt = new Map<string, MonotonicMs>();
  #sweptAt: MonotonicMs = 0;

  /** How many buckets are not known to be full. */
  get size(): number {
    return this.#fullAt.size;
  }

  /** Takes one request from the key's bucket, and returns 0. If the bucket is empty it takes none, and returns how long until it holds one, ms. */
  take(
    keyId: string,
    { perSecond, burst }: KeyLimit,
    now: MonotonicMs,
  ): number {
    this.#sweep(now);
    const eachMs = 1_000 / perSecond;
    const fullAt = Math.max(this.#fullAt.get(keyId) ?? now, now) + eachMs;
    const waitMs = fullAt - now - burst * eachMs;
    if (waitMs > ROUNDING_MS) return waitMs;
    this.#fullAt.set(keyId, fullAt);
    return 0;
  }

  #sweep(now: MonotonicMs): void {
    if (now - this.#sweptAt < SWEEP_EVERY_MS) return;
    this.#sweptAt = now;
    for (const [keyId, fullAt] of this.#fullAt)
      if (fullAt <= now) this.#fullAt.delete(keyId);
  }
}
