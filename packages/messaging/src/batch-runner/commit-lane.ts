/** Commits of many partitions with one request in flight at a time. Commits that arrive meanwhile leave together in the next request. */
import type { Consumer, TopicPartition } from "../ports.ts";

export interface PartitionCommit extends TopicPartition {
  readonly offset: number;
  readonly metadata: string;
}

interface Waiting {
  readonly epoch: number;
  readonly commits: readonly PartitionCommit[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Returns a function that commits the offsets of one or more partitions, which leave in one request. It is tried once; the promise
 * settles as the consumer's commit does. Commits of one partition leave in the order of their calls, so an older one never overwrites a
 * newer one.
 */
export function createCommitLane(
  consumer: Pick<Consumer, "commit">,
): (epoch: number, commits: readonly PartitionCommit[]) => Promise<void> {
  let waiting: Waiting[] = [];
  let isInFlight = false;

  async function flush(): Promise<void> {
    isInFlight = true;
    while (waiting.length > 0) {
      const request = nextRequest(waiting);
      waiting = waiting.filter((entry) => !request.includes(entry));
      try {
        await consumer.commit(
          request[0]!.epoch,
          request.flatMap((entry) => entry.commits),
        );
        for (const entry of request) entry.resolve();
      } catch (error) {
        for (const entry of request) entry.reject(error);
      }
    }
    isInFlight = false;
  }

  return (epoch, commits) =>
    new Promise<void>((resolve, reject) => {
      waiting.push({ epoch, commits, resolve, reject });
      if (!isInFlight) void flush(); // never rejects: each error rejects the promises of its request
    });
}

/** The oldest waiting call, and the others of the same epoch that have no partition of a call before them. */
function nextRequest(waiting: readonly Waiting[]): Waiting[] {
  const taken = new Set<string>();
  return waiting.filter(({ epoch, commits }) => {
    const places = commits.map(
      ({ topic, partition }) => `${topic}/${partition}`,
    );
    const isFree =
      epoch === waiting[0]!.epoch && !places.some((place) => taken.has(place));
    for (const place of places) taken.add(place);
    return isFree;
  });
}
