/**
 * Where the warm-up of one partition has to skip, because its records are more than the bytes allow. The size of those that
 * were read last says how many are left: a warm-up that is too long is known after the first mebibyte, not after the last.
 */

/** After so many bytes the rest is judged. */
const MEASURED_BYTES = 1 << 20;

export class WarmUpPace {
  /** Below it records are read for `remember` only. */
  readonly until: number;
  /** Where the records begin that are being measured, and their bytes. */
  #from: number;
  #bytes = 0;

  constructor(from: number, until: number) {
    this.#from = from;
    this.until = until;
  }

  /** A record below `until` was remembered. From where on about `budget` bytes are left; null while no more are left than that. */
  noteRemembered(offset: number, bytes: number, budget: number): number | null {
    this.#bytes += bytes;
    if (this.#bytes < Math.min(MEASURED_BYTES, budget)) return null;
    const perOffset = this.#bytes / Math.max(1, offset + 1 - this.#from);
    this.jumped(offset + 1);
    const left = this.until - this.#from;
    return perOffset * left > budget
      ? this.until - Math.floor(budget / perOffset)
      : null;
  }

  /** Reading goes on there. */
  jumped(target: number): void {
    this.#from = target;
    this.#bytes = 0;
  }
}
