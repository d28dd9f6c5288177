/** Requests to a group's coordinator and to its partitions' leaders, over the consumer's own connections. */
import type { EpochMs } from "@postrider/core";
import type { ConsumerGroup } from "./patches/group-binding.ts";
import { byTopic } from "./by-topic.ts";
import {
  CommitError,
  StaleAssignmentError,
  type CommittedOffset,
  type Consumer,
  type LogEnd,
  type LogRange,
  type TopicPartition,
} from "../ports.ts";

/** With these errors the group says that our assignment has ended. */
const STALE_ERRORS = new Set([
  "ILLEGAL_GENERATION",
  "UNKNOWN_MEMBER_ID",
  "REBALANCE_IN_PROGRESS",
  "FENCED_INSTANCE_ID",
]);

/**
 * Sends one OffsetCommit request, without retries, under the given member and generation (docs/kafkajs.md, "A commit belongs
 * to one assignment"). If the coordinator is connected, the request is written before this function returns: the commit on
 * revoking must leave before JoinGroup (docs/kafkajs.md, "The last commit of an assignment leaves at REBALANCING").
 */
export async function commitOnce(
  member: { group: ConsumerGroup; memberId: string; generation: number },
  offsets: Parameters<Consumer["commit"]>[1],
  isCurrent: () => boolean,
): Promise<void> {
  const { group, memberId, generation } = member;
  const topics = byTopic(offsets).map(({ topic }) => ({
    topic,
    partitions: offsets
      .filter((offset) => offset.topic === topic)
      .map(({ partition, offset, metadata }) => ({
        partition,
        offset: String(offset),
        metadata,
      })),
  }));
  try {
    let { coordinator } = group.offsetManager;
    if (!coordinator.isConnected()) {
      coordinator = await group.offsetManager.getCoordinator();
      if (!isCurrent()) throw new StaleAssignmentError("The assignment ended.");
    }
    await coordinator.offsetCommit({
      groupId: group.groupId,
      memberId,
      groupGenerationId: generation,
      topics,
    });
  } catch (error) {
    if (error instanceof StaleAssignmentError) throw error;
    const { type, message } = error as { type?: string; message?: string };
    if (type !== undefined && STALE_ERRORS.has(type))
      throw new StaleAssignmentError(`The group refused: ${type}`, {
        cause: error,
      });
    // The group has moved to another coordinator. Take the one that heartbeats use: failed heartbeats look for the new one.
    if (type === "NOT_COORDINATOR_FOR_GROUP")
      group.offsetManager.coordinator = group.coordinator;
    throw new CommitError(`The commit failed: ${message}`, { cause: error });
  }
}

export async function fetchCommitted(
  group: ConsumerGroup,
  partitions: readonly TopicPartition[],
): Promise<CommittedOffset[]> {
  if (partitions.length === 0) return [];
  const coordinator = await group.offsetManager.getCoordinator();
  const { responses } = await coordinator.offsetFetch({
    groupId: group.groupId,
    topics: requested(partitions),
  });
  return responses.flatMap(({ topic, partitions: found }) =>
    found.map(({ partition, offset, metadata }) => ({
      topic,
      partition,
      offset: Number(offset) < 0 ? null : Number(offset),
      metadata: metadata ?? "",
    })),
  );
}

export async function fetchRanges(
  group: ConsumerGroup,
  partitions: readonly TopicPartition[],
): Promise<LogRange[]> {
  const [starts, ends] = await Promise.all([
    edgesOf(group, partitions, "start"),
    fetchEnds(group, partitions),
  ]);
  return ends.flatMap((end) => {
    const start = starts.get(`${end.topic}:${end.partition}`);
    return start === undefined ? [] : [{ ...end, start }];
  });
}

export async function fetchEnds(
  group: ConsumerGroup,
  partitions: readonly TopicPartition[],
): Promise<LogEnd[]> {
  const ends = await edgesOf(group, partitions, "end");
  return partitions.flatMap(({ topic, partition }) => {
    // The answer comes in random order (docs/kafkajs.md, "The admin client"); a partition without a leader is missing.
    const end = ends.get(`${topic}:${partition}`);
    return end === undefined ? [] : [{ topic, partition, end }];
  });
}

async function edgesOf(
  group: ConsumerGroup,
  partitions: readonly TopicPartition[],
  edge: "start" | "end",
): Promise<Map<string, number>> {
  if (partitions.length === 0) return new Map();
  const fromBeginning = edge === "start";
  return indexed(
    await offsetsOf(
      group,
      requested(partitions).map((topic) => ({ ...topic, fromBeginning })),
    ),
  );
}

/** The first offset whose record was written at `at` or later; null if none was. */
export async function fetchOffsetAt(
  group: ConsumerGroup,
  { topic, partition }: TopicPartition,
  at: EpochMs,
): Promise<number | null> {
  const topics = await offsetsOf(group, [
    { topic, partitions: [{ partition }], fromTimestamp: Math.floor(at) },
  ]);
  const offset = indexed(topics).get(`${topic}:${partition}`);
  if (offset === undefined)
    throw new Error(`${topic}:${partition} has no leader now.`);
  return offset < 0 ? null : offset;
}

/**
 * Asks the leaders that we know of. After a failure the metadata is read again, so that the next question goes to the new
 * leader. kafkajs does not read it here, and a fetch need not fail either: a broker that is no longer the leader of a
 * partition still serves it to consumers, as a replica (docs/kafkajs.md, "A moved leader is not noticed by a fetch").
 */
async function offsetsOf(
  group: ConsumerGroup,
  topics: Parameters<ConsumerGroup["cluster"]["fetchTopicsOffset"]>[0],
): ReturnType<ConsumerGroup["cluster"]["fetchTopicsOffset"]> {
  try {
    return await group.cluster.fetchTopicsOffset(topics);
  } catch (error) {
    // Not awaited: where no broker answers it is tried without end.
    void group.cluster.refreshMetadata().catch(() => undefined);
    throw error;
  }
}

function requested(partitions: readonly TopicPartition[]) {
  return byTopic(partitions).map(({ topic, partitions: list }) => ({
    topic,
    partitions: list.map((partition) => ({ partition })),
  }));
}

function indexed(
  topics: readonly {
    topic: string;
    partitions: readonly { partition: number; offset: string }[];
  }[],
): Map<string, number> {
  const offsets = new Map<string, number>();
  for (const { topic, partitions } of topics)
    for (const { partition, offset } of partitions)
      offsets.set(`${topic}:${partition}`, Number(offset));
  return offsets;
}
