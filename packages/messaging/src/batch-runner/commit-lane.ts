/** Commits of many partitions, one request in flight at a time: what arrives meanwhile leaves together in the next. */
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
 * The function it returns commits one partition's offset, once, and settles as the consumer does. A partition has at most one commit
 * waiting that its owner still cares for, and they leave in the order of their calls, so a later one is never overtaken by an earlier.
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
      if (!isInFlight) void flush(); // never rejects: every error goes to who waits for it
    });
}

/** The oldest commit and those of its epoch that follow it, the first of each partition. */
function nextRequest(waiting: readonly Waiting[]): Waiting[] {
  const partitions = new Set<string>();
  return waiting.filter(({ epoch, commit }) => {
    const partition = `${commit.topic}/${commit.partition}`;
    if (epoch !== waiting[0]!.epoch || partitions.has(partition)) return false;
    partitions.add(partition);
    return true;
  });
}
