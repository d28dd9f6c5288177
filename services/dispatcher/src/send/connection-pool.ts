/**
 * Resting connections by origin, the last used first: taking and giving back cost the same for ten connections and for
 * ten thousand. Invariant: what rests is connected and young enough when it is taken, and at most `maxResting` rest;
 * beyond that, and when room must be made, the one that has rested longest goes first, whatever its origin.
 */
import type { MonotonicMs } from "@postrider/core";

/** What the pool needs of a connection; `restingAt` is its own. */
export interface Poolable {
  readonly origin: string;
  readonly madeAt: MonotonicMs;
  readonly isConnected: boolean;
  restingAt: number;
}

export interface PoolLimits {
  readonly ttlMs: number;
  readonly maxResting: number;
}

export class ConnectionPool<C extends Poolable> {
  readonly #limits: PoolLimits;
  readonly #discard: (connection: C) => void;
  readonly #resting = new Map<string, C[]>();
  /** All that rest, the longest first. */
  readonly #byAge = new Set<C>();

  /** `discard` closes what the pool gives up: it is too old, lost, or too much. */
  constructor(limits: PoolLimits, discard: (connection: C) => void) {
    this.#limits = limits;
    this.#discard = discard;
  }

  get size(): number {
    return this.#byAge.size;
  }

  /** A connection to use, or null: open another. */
  take(origin: string, now: MonotonicMs): C | null {
    const resting = this.#resting.get(origin);
    for (
      let last = resting?.at(-1);
      last !== undefined;
      last = resting?.at(-1)
    ) {
      this.remove(last);
      if (last.isConnected && now - last.madeAt < this.#limits.ttlMs)
        return last;
      this.#discard(last);
    }
    return null;
  }

  /** False: another had to go for it. */
  giveBack(connection: C): boolean {
    let resting = this.#resting.get(connection.origin);
    if (resting === undefined) {
      resting = [];
      this.#resting.set(connection.origin, resting);
    }
    connection.restingAt = resting.push(connection) - 1;
    this.#byAge.add(connection);
    if (this.#byAge.size <= this.#limits.maxResting) return true;
    for (const oldest of this.takeLongest(1)) this.#discard(oldest);
    return false;
  }

  /** Takes out the ones that have rested longest, for the caller to close. */
  takeLongest(count: number): C[] {
    const taken: C[] = [];
    for (const connection of this.#byAge) {
      if (taken.length === count) break;
      this.remove(connection);
      taken.push(connection);
    }
    return taken;
  }

  /** Takes out a connection that rests, wherever it stands; false when it does not rest. */
  remove(connection: C): boolean {
    const resting = this.#resting.get(connection.origin);
    const at = connection.restingAt;
    if (resting === undefined || at < 0) return false;
    connection.restingAt = -1;
    this.#byAge.delete(connection);
    const last = resting.pop();
    if (last !== undefined && last !== connection) {
      resting[at] = last;
      last.restingAt = at;
    }
    if (resting.length === 0) this.#resting.delete(connection.origin);
    return true;
  }
}
