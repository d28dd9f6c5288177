/**
 * What the consumer adapter needs of a kafkajs consumer group and its public interface does not give.
 *
 * kafkajs keeps the group in a closure, but hands it the assigners that we make: a binding rides on ours. Groups without
 * one (other consumers of the process) behave as ever.
 */

import { fetchedOf } from "./fetch-response.ts";
import { joinOnce, mustBeJoined, orSeek } from "./rejoin.ts";
import { Rereads } from "./reread.ts";

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
      topics: readonly ({
        topic: string;
        partitions: { partition: number }[];
      } & ({ fromBeginning: boolean } | { fromTimestamp: number }))[],
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
  readonly rawMessages: readonly unknown[];
}

export interface GroupBinding {
  /** A group was made, and is about to join. */
  bound(group: ConsumerGroup): void;
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

  group.fetch = async function (nodeId) {
    // What our decoder gives, kafkajs' own eachMessage could not read.
    if (bindingOf(this) === undefined)
      throw Object.assign(new Error("Only the Consumer port reads here."), {
        retriable: false,
      });
    mustBeJoined(this);
    const batches = await orSeek(this, fetch.call(this, nodeId));
    const rereads = rereadsOf(this);
    return batches.filter((batch) => {
      const fetched = fetchedOf(batch);
      return fetched === null || !rereads.isWanted(batch, fetched);
    });
  };

  // kafkajs would commit a default offset without metadata, and so forget what is done
  // (docs/kafkajs.md, "Positions outside the log").
  group.recoverFromOffsetOutOfRange = async function (error) {
    const binding = bindingOf(this);
    if (binding === undefined)
      return await recoverFromOffsetOutOfRange.call(this, error);
    const { topic, partition } = error;
    this.pause([{ topic, partitions: [partition] }]);
    binding.outOfRange({ topic, partition });
  };

  group.heartbeat = async function (given) {
    await orSeek(this, heartbeat.call(this, given));
  };

  group.joinAndSync = function () {
    return joinOnce(this, () => joinAndSync.call(this));
  };

  // kafkajs retries a commit under whatever generation it then has. Ours go to the coordinator directly, once, under the
  // generation they were computed in; nothing else may commit for a bound group
  // (docs/kafkajs.md, "A commit belongs to one assignment").
  group.commitOffsets = async function (offsets) {
    if (bindingOf(this) === undefined)
      return await commitOffsets.call(this, offsets);
    throw Object.assign(
      new Error("This group commits through its Consumer port only."),
      { retriable: false },
    );
  };
}

function bindingOf(group: ConsumerGroup): GroupBinding | undefined {
  for (const assigner of group.assigners)
    if (BINDING in assigner) return assigner[BINDING] as GroupBinding;
  return undefined;
}

const rereadsOfGroups = new WeakMap<ConsumerGroup, Rereads>();

function rereadsOf(group: ConsumerGroup): Rereads {
  const rereads = rereadsOfGroups.get(group) ?? new Rereads();
  rereadsOfGroups.set(group, rereads);
  return rereads;
}
