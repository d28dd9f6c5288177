import type { MonotonicMs } from "@postrider/core";

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 30_000;

/**
 * How long to wait after the n-th failure in a row (1-based), ms. The longest wait is 100 ms, doubled for each failure up to 30 s. Of
 * that at least half is waited and the other half times `random`, so that many partitions do not retry at the same moment. Never less
 * than `leastMs`. `random` lies in [0, 1]; 1 gives the longest wait.
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
