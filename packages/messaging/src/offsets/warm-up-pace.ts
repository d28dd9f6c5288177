/**
 * Decides where the warm-up of one partition must skip records, because it would read more bytes than its budget. The bytes
 * that remain are estimated from the size of the records read last. So a warm-up that is too large is found after its first
 * mebibyte, and not only when the budget is used up.
 *
 * The estimate is wrong where large records stand before small ones, and then too much is skipped. So when the last record of the
 * warm-up has been read and its bytes are fewer than the budget, reading goes back, twice as far each time, and skips nothing any more:
 * a stage that remembers so many bytes must not remember less of them because it was started anew.
 */

/** After so many bytes the rest is estimated. */
const MEASURED_BYTES = 1 << 20;
/** So much more than the budget may be left by the estimate, before records are skipped; and so much is left then. Otherwise every second estimate would leave too little. */
const TOLERATED = 1.25;
const LEFT = 1.125;

export class WarmUpPace {
  /** Records below it are read for `remember` only. */
  readonly until: number;
  /** Where the warm-up would begin if it skipped nothing. */
  readonly #start: number;
  /** Every record from here on has been read. `#remembered` are their bytes. */
  #begin: number;
  #remembered = 0;
  /** The first offset of the records that are being measured. `#bytes` are their bytes. */
  #from: number;
  #bytes = 0;
  #isGoingBack = false;
  #isOver = false;

  constructor(from: number, until: number) {
    this.#start = from;
    this.#begin = from;
    this.#from = from;
    this.until = until;
  }

  /** Notes that a record below `until` was remembered. Returns the offset to jump to, from which about `budget` bytes are left; null if no jump is needed yet. */
  noteRemembered(offset: number, bytes: number, budget: number): number | null {
    this.#remembered += bytes;
    this.#bytes += bytes;
    if (this.#isGoingBack || this.#bytes < Math.min(MEASURED_BYTES, budget))
      return null;
    const perOffset = this.#bytes / Math.max(1, offset + 1 - this.#from);
    this.#measureFrom(offset + 1);
    const left = this.until - this.#from;
    return perOffset * left > TOLERATED * budget
      ? this.until - Math.floor((LEFT * budget) / perOffset)
      : null;
  }

  /** Call with the first record at or above `until`. Returns the offset to go back to, because less than `budget` was remembered and records were skipped; null if the warm-up is over. */
  goesBackTo(budget: number): number | null {
    if (this.#isOver) return null;
    this.#isOver = this.#begin === this.#start || this.#remembered >= budget;
    if (this.#isOver) return null;
    this.#isGoingBack = true;
    const span = Math.max(1, this.until - this.#begin);
    return Math.max(this.#start, this.until - 2 * span);
  }

  /** Reading goes on at `target`: what was remembered before it does not count. */
  jumped(target: number): void {
    this.#begin = target;
    this.#remembered = 0;
    this.#measureFrom(target);
  }

  #measureFrom(offset: number): void {
    this.#from = offset;
    this.#bytes = 0;
  }
}
