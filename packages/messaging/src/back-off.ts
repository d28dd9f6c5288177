/** Waits between tries, all of which a stop ends at once. */
const FIRST_MS = 100;
const LONGEST_MS = 30_000;

/** After the failure that follows `failures` others: 100 ms, doubling to 30 s. */
export function backOffAfter(failures: number): number {
  return Math.min(LONGEST_MS, FIRST_MS * 2 ** Math.min(failures, 10));
}

export class Pauses {
  /** Each ends one. */
  readonly #ends = new Set<() => void>();
  #isStopped = false;

  /** Ends those that last, and makes those that follow none. */
  stop(): void {
    this.#isStopped = true;
    for (const end of this.#ends) end();
  }

  get isStopped(): boolean {
    return this.#isStopped;
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
