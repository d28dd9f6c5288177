/**
 * Waits that a stop ends at once: none begins after it, and those that last resolve. One for each open record may last, so they are
 * kept in a set: on one `AbortSignal`, ten thousand of them take seconds to begin and to end.
 */
export class Pauses {
  /** Each ends one. */
  readonly #ends = new Set<() => void>();
  #isStopped = false;

  get isStopped(): boolean {
    return this.#isStopped;
  }

  stop(): void {
    this.#isStopped = true;
    for (const end of this.#ends) end();
  }

  /** Resolves after so long, or at the stop. */
  wait(ms: number): Promise<void> {
    if (this.#isStopped) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#ends.delete(end);
        resolve();
      };
      const timer = setTimeout(end, ms);
      this.#ends.add(end);
    });
  }
}
