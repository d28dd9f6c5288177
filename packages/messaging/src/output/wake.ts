/** Wakes one waiter. A notice that comes while nobody waits is kept for the next wait, so none is lost. */
export class Wake {
  #isNotified = false;
  #resolve: (() => void) | null = null;

  notify(): void {
    this.#isNotified = true;
    this.#resolve?.();
  }

  /** Resolves at the next notice or after `ms`, whichever is first; at once if there was a notice since the last wait. */
  async wait(ms?: number): Promise<void> {
    if (!this.#isNotified) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.#resolve = resolve;
        if (ms !== undefined) timer = setTimeout(resolve, ms);
      });
      clearTimeout(timer);
      this.#resolve = null;
    }
    this.#isNotified = false;
  }
}
