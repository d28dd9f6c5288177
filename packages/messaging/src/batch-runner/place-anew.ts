import { sleep } from "@postrider/runtime";
import { backOffMs } from "../back-off.ts";
import type { BatchAssignment } from "./batch-assignment.ts";
import type { LogRange, TopicPartition } from "../ports.ts";

/**
 * Finds where to go on with a partition whose log does not have our position. Below the log's start: what is queued is kept, and reading
 * goes on at the start. If the log ends below what is recorded, it was cut or made anew: the partition begins anew from our last commit.
 * If it ends within what is queued, it is asked again until that is recorded. The consumer has paused the partition, and reports it again
 * only where it was resumed meanwhile: so this asks until Kafka has answered. Never rejects.
 */
export async function placeAnew(
  { partition }: TopicPartition,
  given: {
    readonly assignment: Pick<
      BatchAssignment<never>,
      "misplaced" | "baseOf" | "skipTo" | "restart"
    >;
    /** False once the assignment is over, or the runner stops. */
    readonly isWanted: () => boolean;
    readonly fetchLogRange: () => Promise<LogRange>;
    readonly random: () => number;
    readonly signal: AbortSignal;
    readonly report: (error: unknown) => void;
  },
): Promise<void> {
  const { assignment, isWanted, random, signal } = given;
  if (assignment.misplaced.has(partition)) return;
  assignment.misplaced.add(partition);
  for (let failures = 1; isWanted(); failures++) {
    try {
      const log = await given.fetchLogRange();
      if (!isWanted()) return;
      const isCut = (assignment.baseOf(partition) ?? 0) > log.end;
      if (isCut) assignment.restart(partition);
      if (isCut || assignment.skipTo(partition, log)) {
        assignment.misplaced.delete(partition);
        return;
      }
      failures = 1; // Kafka has answered
    } catch (error) {
      if (!isWanted()) return;
      given.report(error);
    }
    await sleep(backOffMs(failures, random()), { signal });
  }
}
