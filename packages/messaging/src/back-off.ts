import type { MonotonicMs } from "@postrider/core";

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 30_000;

/**
 * How long to wait after the n-th failure in a row (1-based): 100 ms doubling to 30 s, the upper half of it at random, so that many
 * partitions do not come back in step; never less than `leastMs`. `random` lies in [0, 1); 1 is the
 * whole of it.
 */
export function backOffMs(
  failures: number,
  random: number,
  leastMs = 0,
): MonotonicMs {
  const ceiling = Math.min(
    LONGEST_WAIT_MS,
    FIRST_WAIT_MS * 2 ** Math.min(failures - 1, 20),
  );
  return Math.max(leastMs, ceiling / 2 + (random * ceiling) / 2);
}
