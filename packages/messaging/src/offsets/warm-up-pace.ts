/**
 * Decides where the warm-up of one partition must skip records, because it would read more bytes than its budget. The bytes
 * that remain are estimated from the size of the records read last. So a warm-up that is too large is found after its first
 * mebibyte, and not only when the budget is used up.
 */

/** After so many bytes the rest is estimated. */
const MEASURED_BYTES = 1 << 20;

export class WarmUpPace {
  /** Records below it are read for `remember` only. */
  readonly until: number;
  /** The first offset of the records that are being measured. `#bytes` are their bytes. */
  #from: number;
  #bytes = 0;

  constructor(from: number, until: number) {
    this.#from = from;
    this.until = until;
  }

  /** Notes that a record below `until` was remembered. Returns the offset to jump to, from which about `budget` bytes are left; null if no jump is needed yet. */
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

  /** Reading goes on at `target`: measuring begins anew there. */
  jumped(target: number): void {
    this.#from = target;
    this.#bytes = 0;
  }
}
