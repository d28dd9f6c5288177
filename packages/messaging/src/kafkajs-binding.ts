/**
 * What the consumer adapter needs of a kafkajs consumer group and its public interface does not give.
 *
 * kafkajs keeps the group in a closure, but hands it the assigners that we make: a binding rides on ours. Groups without
 * one (other consumers of the process) behave as ever.
 */

export interface GroupTopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** A partition of an OffsetCommit request. */
export interface GroupCommit {
  readonly partition: number;
  readonly offset: string;
  readonly metadata: string;
}

/** One broker, as kafkajs has it. */
export interface GroupCoordinator {
  isConnected(): boolean;
  offsetCommit(request: {
    groupId: string;
    memberId: string;
    groupGenerationId: number;
    topics: readonly { topic: string; partitions: readonly GroupCommit[] }[];
  }): Promise<unknown>;
  offsetFetch(request: {
    groupId: string;
    topics: readonly { topic: string; partitions: { partition: number }[] }[];
  }): Promise<{
    responses: readonly {
      topic: string;
      partitions: readonly {
        partition: number;
        offset: string;
        metadata: string | null;
      }[];
    }[];
  }>;
}

/** The parts of kafkajs' ConsumerGroup 2.2.4 that we call. A new one is made after every crash. */
export interface ConsumerGroup {
  coordinator: GroupCoordinator;
  readonly groupId: string;
  readonly generationId: number;
  readonly memberId: string;
  readonly assigners: readonly object[];
  readonly offsetManager: {
    coordinator: GroupCoordinator;
    getCoordinator(): Promise<GroupCoordinator>;
  };
  readonly cluster: {
    refreshMetadata(): Promise<void>;
    findGroupCoordinator(of: { groupId: string }): Promise<GroupCoordinator>;
    fetchTopicsOffset(
      topics: readonly {
        topic: string;
        partitions: { partition: number }[];
        fromBeginning: boolean;
      }[],
    ): Promise<
      { topic: string; partitions: { partition: number; offset: string }[] }[]
    >;
  };
  pause(partitions: { topic: string; partitions: number[] }[]): void;
}

/** A batch, as kafkajs has it. */
export interface GroupBatch extends GroupTopicPartition {
  readonly fetchedOffset: string;
  readonly highWatermark: string;
  lastOffset(): string;
  isEmptyDueToFiltering(): boolean;
}

export interface GroupBinding {
  /** A group was made, and is about to join. */
  bound(group: ConsumerGroup): void;
  /** Fetched, but nothing in it is for us: control records, aborted or compacted ones (rule 9). */
  emptyBatch(batch: GroupBatch): void;
  /** The partition's position lies outside the log. */
  outOfRange(partition: GroupTopicPartition): void;
}

/** Under this name our assigner carries the binding. */
export const BINDING = Symbol("postrider.binding");

interface GroupPrototype {
  connect(this: ConsumerGroup): Promise<void>;
  fetch(this: ConsumerGroup, nodeId: string): Promise<GroupBatch[]>;
  recoverFromOffsetOutOfRange(
    this: ConsumerGroup,
    error: GroupTopicPartition,
  ): Promise<void>;
  heartbeat(this: ConsumerGroup, given: unknown): Promise<void>;
  joinAndSync(this: ConsumerGroup): Promise<void>;
  commitOffsets(this: ConsumerGroup, offsets: unknown): Promise<void>;
}

/** Patches the class. Call once. */
export function registerBinding(groupClass: {
  prototype: GroupPrototype;
}): void {
  const group = groupClass.prototype;
  const { connect, fetch, heartbeat, joinAndSync, commitOffsets } = group;
  const { recoverFromOffsetOutOfRange } = group;

  group.connect = async function () {
    bindingOf(this)?.bound(this);
    await connect.call(this);
  };

  // Rule 9: such batches never reach eachBatch.
  group.fetch = async function (nodeId) {
    // The runner joins again when it is told so.
    if (unjoined.has(this))
      throw Object.assign(new Error("the last join did not end"), {
        type: "REBALANCE_IN_PROGRESS",
      });
    const batches = await orSeek(this, fetch.call(this, nodeId));
    const binding = bindingOf(this);
    if (binding !== undefined)
      for (const batch of batches)
        if (batch.isEmptyDueToFiltering()) binding.emptyBatch(batch);
    return batches;
  };

  // Rule 3d: kafkajs would commit a default offset without metadata, and so forget what is done.
  group.recoverFromOffsetOutOfRange = async function (error) {
    const binding = bindingOf(this);
    if (binding === undefined)
      return await recoverFromOffsetOutOfRange.call(this, error);
    const { topic, partition } = error;
    this.pause([{ topic, partitions: [partition] }]);
    binding.outOfRange({ topic, partition });
  };

  // kafkajs asks for the group's coordinator only when it joins, and it joins only when a coordinator says so: one that
  // died and does not come back is sent heartbeats for ever, while another has taken the group over.
  group.heartbeat = async function (given) {
    await orSeek(this, heartbeat.call(this, given));
  };

  // A join that ends by an error that is neither of the group's (no answer, a coordinator that loads) is forgotten: the
  // runner goes on fetching, without a member id not even heartbeats go out, and nothing ever joins again. And two fetches
  // that both meet a moved leader would join twice at once.
  group.joinAndSync = function () {
    const known = joining.get(this);
    if (known !== undefined) return known;
    const joined = joinAndSync
      .call(this)
      .then(
        () => void unjoined.delete(this),
        (error: unknown) => {
          unjoined.add(this);
          throw error;
        },
      )
      .finally(() => joining.delete(this));
    joining.set(this, joined);
    return joined;
  };

  // Rule 3b: kafkajs retries a commit under whatever generation it then has. Ours go to the coordinator directly, once,
  // under the generation they were computed in; nothing else may commit for a bound group.
  group.commitOffsets = async function (offsets) {
    if (bindingOf(this) === undefined)
      return await commitOffsets.call(this, offsets);
    throw Object.assign(
      new Error("This group commits through its Consumer port only."),
      { retriable: false },
    );
  };
}

/** Joins under way, and groups of which the last one failed. */
const joining = new WeakMap<ConsumerGroup, Promise<void>>();
const unjoined = new WeakSet<ConsumerGroup>();
/** Groups whose coordinator is being asked for. */
const seeking = new WeakSet<ConsumerGroup>();

/** Passes on what the request gives; when it went unanswered, the group's coordinator is looked for. */
async function orSeek<T>(
  group: ConsumerGroup,
  request: Promise<T>,
): Promise<T> {
  try {
    return await request;
  } catch (error) {
    if (isUnanswered(error)) seekCoordinator(group);
    throw error;
  }
}

/** Nobody waits for it: it goes on for as long as no broker answers. The members and their generation are the same for every coordinator. */
function seekCoordinator(group: ConsumerGroup): void {
  if (seeking.has(group)) return;
  seeking.add(group);
  const { groupId, cluster, coordinator: before } = group;
  void cluster
    .findGroupCoordinator({ groupId })
    .then(
      (coordinator) => {
        // A join finds its own, and keeps to it until it has ended.
        if (joining.has(group) || group.coordinator !== before) return;
        group.coordinator = coordinator;
        group.offsetManager.coordinator = coordinator;
      },
      // The next heartbeat that fails asks again.
      () => undefined,
    )
    .finally(() => seeking.delete(group));
}

/** The connection failed, or no answer came; not an answer that says no. */
function isUnanswered(error: unknown): boolean {
  return (
    error instanceof Error &&
    /^KafkaJS(Connection|RequestTimeout|BrokerNotFound)/.test(error.name)
  );
}

function bindingOf(group: ConsumerGroup): GroupBinding | undefined {
  for (const assigner of group.assigners)
    if (BINDING in assigner) return assigner[BINDING] as GroupBinding;
  return undefined;
}
