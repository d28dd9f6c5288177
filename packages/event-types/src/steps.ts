/**
 * What checking one payload may cost. A schema's author decides how much work a payload makes, and both may be a tenant's who wishes
 * others ill: so the work is counted while it is done, and given up when it is too much.
 */

/** Some tens of milliseconds of one processor. A payload of 256 KiB that is checked field by field takes about half of them. */
const MOST_STEPS = 200_000;

/** The check of a payload was given up. */
export class TooManyStepsError extends Error {
  readonly code = "TOO_MANY_STEPS";
}

export class Steps {
  #left = 0;

  /** Begins to count for one payload. */
  begin(): void {
    this.#left = MOST_STEPS;
  }

  /** Throws `TooManyStepsError` once there are too many. */
  take(count: number): void {
    this.#left -= count;
    if (this.#left < 0) throw new TooManyStepsError();
  }
}
