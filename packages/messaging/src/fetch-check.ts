import type { Check } from "@postrider/runtime";

/** A loop that has not moved for longer than this is stuck, ms: the process is not live. */
export const STUCK_MS = 60_000;
/** A join waits for the slowest member, for the rebalance timeout (60 s) at most. Three times that is stuck, ms. */
const STUCK_JOIN_MS = 180_000;

/** Liveness of a consumer's fetch loops (docs/kafkajs.md, "A loop that stands still"). */
export function fetchCheck(
  name: string,
  loops: {
    /** Parts that are started earlier may wait for days, for a right for instance. */
    readonly hasStarted: boolean;
    /** It has its partitions, and no join is under way. */
    readonly isSettled: boolean;
    /** Since a fetch loop turned, or the group's coordinator did not answer. */
    readonly sinceFetchMs: number;
  },
): Check {
  const { hasStarted, isSettled, sinceFetchMs } = loops;
  const isOk =
    !hasStarted || sinceFetchMs < (isSettled ? STUCK_MS : STUCK_JOIN_MS);
  const detail = isOk
    ? ""
    : `nothing was fetched for ${sinceFetchMs | 0} ms, though the group's coordinator answers`;
  return { name: `${name}.fetch`, isOk, detail };
}
