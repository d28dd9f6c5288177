/**
 * Waits that a stop ends at once: waits that are running resolve, and later ones resolve immediately. Every open record may
 * be waiting at the same time, so the waits are kept in a set: ten thousand listeners on one `AbortSignal` take seconds to
 * add and to remove.
 */
export class Pauses {
  /** Each function ends one wait. */
  readonly #ends = new Set<() => void>();
  #isStopped = false;

  get isStopped(): boolean {
    return this.#isStopped;
  }

  stop(): void {
    this.#isStopped = true;
    for (const end of this.#ends) end();
  }

  /** Resolves after `ms`, or at the stop. */
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
