/**
 * How many requests are under way at once, by path: from the last byte of a request until its answer is written. The sender counts
 * a request for longer than that, so no number here exceeds what the sender allowed.
 */
export class UnderWay {
  readonly #now = new Map<string, number>();
  /** The time of all requests that have ended together, ms. */
  totalMs = 0;
  /** By path: the most at once since the last `reset`. */
  most = new Map<string, number>();

  began(path: string): void {
    const now = (this.#now.get(path) ?? 0) + 1;
    this.#now.set(path, now);
    if (now > (this.most.get(path) ?? 0)) this.most.set(path, now);
  }

  /** `ms`: the time for which it was under way. */
  ended(path: string, ms: number): void {
    this.totalMs += ms;
    this.#now.set(path, this.#now.get(path)! - 1);
  }

  /** Forgets the most and the time; what is under way stays. */
  reset(): void {
    this.totalMs = 0;
    this.most = new Map();
  }
}
