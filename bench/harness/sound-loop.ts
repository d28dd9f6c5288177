/** When the raw loop, the baseline of a bench, is broken. */

/**
 * The most CPU that a request of the loop may cost, as a multiple of a bare, pipelined request; 1.4 to 3.7 is usual, by the machine.
 * More means that the baseline is broken, however fast the machine is on that day: 60 µs where a bare request takes 12.
 */
const BROKEN_RATIO = 5;
/** Other work on the machine can disturb one measurement. A loop that is broken is so each time. */
const TRIES = 3;

export interface LoopCost<T> {
  readonly result: T;
  /** The CPU that a request of the loop costs, µs. */
  readonly micros: number;
  /** The time that a bare request takes, measured near the loop, µs. */
  readonly bareMicros: number;
}

/** Measures until the loop costs what a loop may, and returns that result; throws with all that was measured if it never does. `nth` is 1 for the first try. */
export async function soundLoop<T>(
  measure: (nth: number) => Promise<LoopCost<T>>,
): Promise<T> {
  const tries: string[] = [];
  for (let nth = 1; nth <= TRIES; nth++) {
    const { result, micros, bareMicros } = await measure(nth);
    if (micros <= BROKEN_RATIO * bareMicros) return result;
    tries.push(`${micros.toFixed(1)} µs (${bareMicros.toFixed(1)})`);
  }
  throw new Error(
    `the raw loop is broken: in ${TRIES} tries a request of it (a bare one) took ${tries.join(", ")}; at most ${BROKEN_RATIO} times a bare one is sound`,
  );
}
