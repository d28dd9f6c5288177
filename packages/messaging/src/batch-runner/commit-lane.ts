/** Commits of many partitions with one request in flight at a time. Commits that arrive meanwhile leave together in the next request. */
import type { Consumer, TopicPartition } from "../ports.ts";

export interface PartitionCommit extends TopicPartition {
  readonly offset: number;
  readonly metadata: string;
}

interface Waiting {
  readonly epoch: number;
  readonly commit: PartitionCommit;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Returns a function that commits one partition's offset. It is tried once; the promise settles as the consumer's commit does. Commits
 * of one partition leave in the order of their calls, so an older one never overwrites a newer one.
 */
export function createCommitLane(
  consumer: Pick<Consumer, "commit">,
): (epoch: number, commit: PartitionCommit) => Promise<void> {
  let waiting: Waiting[] = [];
  let isInFlight = false;

  async function flush(): Promise<void> {
    isInFlight = true;
    while (waiting.length > 0) {
      const batch = nextRequest(waiting);
      waiting = waiting.filter((entry) => !batch.includes(entry));
      try {
        await consumer.commit(
          batch[0]!.epoch,
          batch.map((entry) => entry.commit),
        );
        for (const entry of batch) entry.resolve();
      } catch (error) {
        for (const entry of batch) entry.reject(error);
      }
    }
    isInFlight = false;
  }

  return (epoch, commit) =>
    new Promise<void>((resolve, reject) => {
      waiting.push({ epoch, commit, resolve, reject });
      if (!isInFlight) void flush(); // never rejects: each error rejects the promises of its request
    });
}

/** The oldest waiting commit, and of each other partition the first commit of the same epoch. */
function nextRequest(waiting: readonly Waiting[]): Waiting[] {
  const partitions = new Set<string>();
  return waiting.filter(({ epoch, commit }) => {
    const partition = `${commit.topic}/${commit.partition}`;
    if (epoch !== waiting[0]!.epoch || partitions.has(partition)) return false;
    partitions.add(partition);
    return true;
  });
}
