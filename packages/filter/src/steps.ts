/**
 * What the evaluation of one filter may still cost, in steps of about 100 ns. An evaluation never waits, so there is never a second one
 * under way, and one counter serves all.
 */
export class Steps {
  #left = 0;

  begin(allowance: number): void {
    this.#left = allowance;
  }

  get left(): number {
    return this.#left;
  }

  /** Throws once nothing is left; CEL makes an error of it, and every loop then ends at its next turn. */
  spend(steps: number): void {
    this.#left -= Math.ceil(steps);
    if (this.#left < 0) throw new Error("too many steps");
  }

  /** The same, for a loop: whether it may take another turn. */
  mayTurn(steps: number): boolean {
    this.#left -= steps;
    return this.#left >= 0;
  }
}
