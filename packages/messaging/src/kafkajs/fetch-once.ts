/** One fetch from a partition that need not be assigned to this member. */
import { rereadsOf, type ConsumerGroup } from "./patches/group-binding.ts";
import { fetchedOf } from "./patches/fetch-response.ts";
import type { FetchedBatch, TopicPartition } from "../ports.ts";

const MAX_WAIT_MS = 100;
/** Kafka's `read_committed`. */
const READ_COMMITTED = 1;

/** What is needed of a group, or of any other client that has a cluster. */
export type Fetching = Pick<ConsumerGroup, "cluster">;

/**
 * Fetches once, from the partition's leader. Null if nothing came, or if it is a broken batch that is fetched again later. Rejects on any
 * error; the metadata is read again then, so that the next fetch goes to the new leader.
 */
export async function fetchOnce(
  group: Fetching,
  { topic, partition }: TopicPartition,
  { offset, maxBytes }: { readonly offset: number; readonly maxBytes: number },
): Promise<FetchedBatch | null> {
  const { cluster } = group;
  const rereads = rereadsOf(group);
  const fetchedOffset = String(offset);
  if (rereads.isHeldBack({ topic, partition }, () => fetchedOffset))
    return null;
  try {
    const [nodeId] = Object.keys(
      cluster.findLeaderForPartitions(topic, [partition]),
    );
    if (nodeId === undefined)
      throw new Error(`${topic}/${partition} is not known.`);
    const leader = await cluster.findBroker({ nodeId });
    const { responses } = await leader.fetch({
      maxWaitTime: MAX_WAIT_MS,
      minBytes: 1,
      maxBytes,
      isolationLevel: READ_COMMITTED,
      topics: [
        {
          topic,
          partitions: [{ partition, fetchOffset: fetchedOffset, maxBytes }],
        },
      ],
    });
    const answer = responses[0]?.partitions[0];
    const fetched = answer && fetchedOf({ rawMessages: answer.messages });
    if (!answer || !fetched) return null;
    const { broken } = fetched;
    if (rereads.isWanted({ topic, partition, fetchedOffset }, fetched))
      return null;
    return {
      topic,
      partition,
      fetchOffset: offset,
      records: broken === null ? fetched.records : [broken],
      lastOffset: broken?.unreadable?.lastOffset ?? fetched.lastOffset!,
      highWatermark: Number(answer.highWatermark),
    };
  } catch (error) {
    // Not awaited: where no broker answers it is tried without end.
    void cluster.refreshMetadata().catch(() => undefined);
    throw error;
  }
}
