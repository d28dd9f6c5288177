/**
 * Decides where the warm-up of one partition must skip records, because it would read more bytes than its budget. The bytes
 * that remain are estimated from the size of the records read last. So a warm-up that is too large is found after its first
 * mebibyte, and not only when the budget is used up.
 *
 * The estimate is wrong where large records stand before small ones, and then too much is skipped. So when the last record of the
 * warm-up has been read and its bytes are fewer than the budget, reading goes back: first by the estimate, then twice as far each time.
 * A stage that remembers so many bytes must not remember less of them because it was started anew.
 *
 * Going back may come upon large records again. So a reading that has passed twice the budget, before the place where the one before
 * it began, is given up, and the next begins in the middle between the two. Each reading has at most some budgets' bytes, and there
 * are about as many of them as the offsets have binary digits.
 */

/** After so many bytes the rest is estimated. */
const MEASURED_BYTES = 1 << 20;
/** So much more than the budget may be left by the estimate, before records are skipped; and so much is left then. Otherwise every second estimate would leave too little. */
const TOLERATED = 1.25;
const LEFT = 1.125;
/** The first time, reading goes back so much farther than the estimate. */
const MARGIN = 1.25;

export class WarmUpPace {
  /** Records below it are read for `remember` only. */
  readonly until: number;
  /** Every record from here on has been read. `#remembered` are their bytes. */
  #begin: number;
  #remembered = 0;
  /** The first offset of the records that are being measured. `#bytes` are their bytes. */
  #from: number;
  #bytes = 0;
  #isGoingBack = false;
  #isOver = false;
  /** While going back: from here on there are fewer bytes than the budget. */
  #tooNear: number;
  /** While going back: from here on there are as many bytes as the budget, or it is the start. */
  #farEnough: number;
  /** While going back: what this reading has read below it is within the budget. */
  #passedAt: number;

  constructor(from: number, until: number) {
    this.#begin = from;
    this.#from = from;
    this.#tooNear = until;
    this.#farEnough = from;
    this.#passedAt = from;
    this.until = until;
  }

  /** Notes that a record below `until` was remembered. Returns the offset to jump to, from which about `budget` bytes are left; null if no jump is needed yet. */
  noteRemembered(offset: number, bytes: number, budget: number): number | null {
    this.#remembered += bytes;
    this.#bytes += bytes;
    if (this.#isGoingBack) return this.#nearer(offset, budget);
    if (this.#bytes < Math.min(MEASURED_BYTES, budget)) return null;
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
    // Not only at the start: the budget may have changed since `#farEnough` was found.
    this.#isOver = this.#begin <= this.#farEnough || this.#remembered >= budget;
    if (this.#isOver) return null;
    const factor = this.#isGoingBack
      ? 2
      : Math.min(2, (MARGIN * budget) / this.#remembered);
    this.#isGoingBack = true;
    this.#tooNear = this.#begin;
    const span = Math.max(1, this.until - this.#begin);
    return Math.max(
      middle(this.#farEnough, this.#tooNear),
      this.until - Math.ceil(factor * span),
    );
  }

  /** Where a reading that has gone back too far goes on; null if it has not. */
  #nearer(offset: number, budget: number): number | null {
    if (this.#remembered <= budget) this.#passedAt = offset + 1;
    if (this.#remembered <= 2 * budget || offset + 1 >= this.#tooNear)
      return null;
    this.#farEnough = this.#passedAt;
    return middle(offset + 1, this.#tooNear);
  }

  /** Reading goes on at `target`: what was remembered before it does not count. */
  jumped(target: number): void {
    this.#begin = target;
    this.#remembered = 0;
    this.#passedAt = target;
    this.#measureFrom(target);
  }

  #measureFrom(offset: number): void {
    this.#from = offset;
    this.#bytes = 0;
  }
}

function middle(low: number, high: number): number {
  return low + Math.floor((high - low) / 2);
}
