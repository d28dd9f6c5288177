/** The wait after the first crash, ms. It doubles with each crash, up to `LONGEST_MS`. */
const FIRST_MS = 200;
const LONGEST_MS = 10_000;

/**
 * How long a consumer that crashed waits before its next life. The wait becomes short again only after a batch was delivered:
 * otherwise a consumer that joins, fetches and crashes each time would do so five times a second, for ever.
 */
export class RestartBackOff {
  #crashes = 0;

  /** Call after each crash. Returns how long to wait before the next life, ms. */
  crashed(): number {
    return Math.min(FIRST_MS * 2 ** this.#crashes++, LONGEST_MS);
  }

  delivered(): void {
    this.#crashes = 0;
  }
}
