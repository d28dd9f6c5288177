/**
 * Resting connections by origin, the last used first: taking and giving back cost the same for ten connections and for
 * ten thousand. Invariant: what rests is connected and young enough when it is taken.
 */
import type { MonotonicMs } from "@postrider/core";

/** What the pool needs of a connection; `restingAt` is its own. */
export interface Poolable {
  readonly origin: string;
  readonly madeAt: MonotonicMs;
  readonly isConnected: boolean;
  restingAt: number;
  close(): void;
}

export class ConnectionPool<C extends Poolable> {
  readonly #ttlMs: number;
  readonly #resting = new Map<string, C[]>();

  constructor(ttlMs: number) {
    this.#ttlMs = ttlMs;
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
      if (last.isConnected && now - last.madeAt < this.#ttlMs) return last;
      last.close();
    }
    return null;
  }

  giveBack(connection: C): void {
    let resting = this.#resting.get(connection.origin);
    if (resting === undefined) {
      resting = [];
      this.#resting.set(connection.origin, resting);
    }
    connection.restingAt = resting.push(connection) - 1;
  }

  /** Takes out a connection that rests, wherever it stands; false when it does not rest. */
  remove(connection: C): boolean {
    const resting = this.#resting.get(connection.origin);
    const at = connection.restingAt;
    if (resting === undefined || at < 0) return false;
    connection.restingAt = -1;
    const last = resting.pop();
    if (last !== undefined && last !== connection) {
      resting[at] = last;
      last.restingAt = at;
    }
    if (resting.length === 0) this.#resting.delete(connection.origin);
    return true;
  }
}
