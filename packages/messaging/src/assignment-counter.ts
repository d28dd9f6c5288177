/** Counts how often a group has given partitions to this process: a group that rebalances all the time does no work. */
import type { Meter } from "@postrider/runtime";

/** Call the function that it returns for each assignment. `stage` is the runner's name. */
export function assignmentCounter(meter: Meter, stage: string): () => void {
  const counter = meter.counter(
    "postrider_assignments_total",
    "Assignments of partitions by the group, one for each rebalance in which this process took part",
    ["stage"],
  );
  return () => counter.inc({ stage });
}
