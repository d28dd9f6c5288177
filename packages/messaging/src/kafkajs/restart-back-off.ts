/** After a crash the next life begins after this, doubling to the limit, ms. */
const FIRST_MS = 200;
const LONGEST_MS = 10_000;

/**
 * How long a consumer that crashed waits before it begins anew. Only a batch that was delivered begins the count again: a
 * consumer that joins, fetches and crashes each time would otherwise do so five times a second, for ever.
 */
export class RestartBackOff {
  #crashes = 0;

  /** How long to wait now, ms. */
  crashed(): number {
    return Math.min(FIRST_MS * 2 ** this.#crashes++, LONGEST_MS);
  }

  delivered(): void {
    this.#crashes = 0;
  }
}
