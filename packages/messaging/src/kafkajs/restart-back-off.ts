/** The wait before the first life is none, after a crash this, doubling to the limit, ms. */
const FIRST_MS = 200;
const LONGEST_MS = 10_000;

/**
 * How long a consumer that crashed waits before it begins anew. Only a batch that was delivered begins the count again: a
 * consumer that joins, fetches and crashes each time would otherwise do so five times a second, for ever.
 */
export class RestartBackOff {
  #lives = 0;

  /** Before each life. */
  nextMs(): number {
    const crashes = this.#lives++;
    return crashes === 0
      ? 0
      : Math.min(FIRST_MS * 2 ** (crashes - 1), LONGEST_MS);
  }

  /** The life that goes on has delivered a batch. */
  delivered(): void {
    this.#lives = 1;
  }
}
