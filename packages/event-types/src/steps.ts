/**
 * What checking one payload may cost. A schema's author decides how much work a payload makes, and both may be a tenant's who wishes
 * others ill: so the work is counted while it is done, and given up when it is too much.
 */

/** Some tens of milliseconds of one processor. A payload of 256 KiB that is checked field by field takes about half of them. */
const MOST_STEPS = 200_000;
/** A small payload may take less, because there can be many. */
const STEPS_OF_ANY = 20_000;
const STEPS_PER_BYTE = 4;

/** The check of a payload was given up. */
export class TooManyStepsError extends Error {
  readonly code = "TOO_MANY_STEPS";
}

export class Steps {
  #left = 0;

  /** Begins to count for one payload. */
  begin(bytes = Infinity): void {
    this.#left = Math.min(MOST_STEPS, STEPS_OF_ANY + STEPS_PER_BYTE * bytes);
  }

  /** Throws `TooManyStepsError` once there are too many. */
  take(count: number): void {
    this.#left -= count;
    if (this.#left < 0) throw new TooManyStepsError();
  }
}
