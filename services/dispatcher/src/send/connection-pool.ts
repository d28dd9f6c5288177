/**
 * Idle ("resting") connections by origin. The most recently used one is taken first. Taking and giving back cost the same
 * with ten connections and with ten thousand.
 *
 * Invariants: a connection that is taken is connected and younger than `ttlMs`. At most `maxResting` rest; beyond that, and
 * when descriptors are short, the connection that has rested longest is closed first, whatever its origin.
 */
import type { MonotonicMs } from "@postrider/core";

/** What the pool needs of a connection. `restingAt` belongs to the pool: nobody else writes it. */
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
  /** All resting connections; the one that has rested longest is first. */
  readonly #byAge = new Set<C>();

  /** `discard` closes a connection that the pool drops: too old, disconnected, or one too many. */
  constructor(limits: PoolLimits, discard: (connection: C) => void) {
    this.#limits = limits;
    this.#discard = discard;
  }

  get size(): number {
    return this.#byAge.size;
  }

  /** A connection to use, or null: the caller opens one. */
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

  /** Puts a connection back to rest. False: the pool was full, and the connection that has rested longest was discarded. */
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

  /** Removes up to `count` connections that have rested longest; the caller closes them. */
  takeLongest(count: number): C[] {
    const taken: C[] = [];
    for (const connection of this.#byAge) {
      if (taken.length === count) break;
      this.remove(connection);
      taken.push(connection);
    }
    return taken;
  }

  /** Removes a resting connection from any position. False if it does not rest. */
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
