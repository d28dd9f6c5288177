/**
 * Gives the consumer adapter access to kafkajs' ConsumerGroup object, which kafkajs does not expose, and patches its class.
 *
 * kafkajs hides the group in a closure, but gives it the assigners that we make. Our assigner carries a *binding*, by which the
 * patched methods find our adapter. A group without a binding (another consumer of the process) is refused when it fetches; its
 * commits and its handling of positions outside the log stay kafkajs' own.
 */

import { setTimeout as sleep } from "node:timers/promises";
import { fetchedOf } from "./fetch-response.ts";
import { FetchTurns, type Brought } from "./fetch-turns.ts";
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

/** The part of kafkajs' Broker that we call. */
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

/** The part of kafkajs' Broker that fetches. */
export interface GroupLeader {
  fetch(request: {
    maxWaitTime: number;
    minBytes: number;
    maxBytes: number;
    isolationLevel: number;
    topics: readonly {
      topic: string;
      partitions: readonly {
        partition: number;
        fetchOffset: string;
        maxBytes: number;
      }[];
    }[];
  }): Promise<{
    responses: readonly {
      partitions: readonly {
        highWatermark: string;
        messages: readonly unknown[];
      }[];
    }[];
  }>;
}

/** The part of kafkajs' ConsumerGroup (2.2.4) that we call. kafkajs makes a new one after every crash. */
export interface ConsumerGroup {
  coordinator: GroupCoordinator;
  readonly groupId: string;
  readonly generationId: number;
  readonly memberId: string;
  readonly assigners: readonly object[];
  readonly offsetManager: {
    coordinator: GroupCoordinator;
    getCoordinator(): Promise<GroupCoordinator>;
    /** Where the next fetch of a partition begins. */
    nextOffset(topic: string, partition: number): { toString(): string };
  };
  readonly cluster: {
    refreshMetadata(): Promise<void>;
    findGroupCoordinator(of: { groupId: string }): Promise<GroupCoordinator>;
    /** The partitions by the id of the broker that leads them; one that is not known is left out. */
    findLeaderForPartitions(
      topic: string,
      partitions: readonly number[],
    ): Record<string, number[]>;
    findBroker(of: { nodeId: string }): Promise<GroupLeader>;
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
  /** The paused partitions of the assignment, by topic. */
  paused(): readonly { readonly partitions: readonly number[] }[];
  /** How long a broker may keep the next fetch, ms. */
  maxWaitTime: number;
}

/** The part of kafkajs' Batch that we read. */
export interface GroupBatch extends GroupTopicPartition {
  readonly fetchedOffset: string;
  readonly highWatermark: string;
  readonly rawMessages: readonly unknown[];
}

export interface GroupBinding {
  /** The group was made and is about to join. */
  bound(group: ConsumerGroup): void;
  /** The partition's position lies outside the log. */
  outOfRange(partition: GroupTopicPartition): void;
}

/** The property of our assigner that holds the binding. */
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
  /** What the next fetch may ask for, by topic. */
  getActiveTopicPartitions(this: ConsumerGroup): Record<string, Set<number>>;
  commitOffsets(this: ConsumerGroup, offsets: unknown): Promise<void>;
}

/** Patches the class. Call once. */
export function registerBinding(groupClass: {
  prototype: GroupPrototype;
}): void {
  const group = groupClass.prototype;
  const { connect, fetch, heartbeat, joinAndSync, commitOffsets } = group;
  const { getActiveTopicPartitions, recoverFromOffsetOutOfRange } = group;

  group.connect = async function () {
    bindingOf(this)?.bound(this);
    await connect.call(this);
  };

  group.fetch = async function (nodeId) {
    // kafkajs' own eachMessage cannot read the messages that our decoder makes (fetch-response.ts). So refuse other consumers.
    if (bindingOf(this) === undefined)
      throw Object.assign(new Error("Only the Consumer port reads here."), {
        retriable: false,
      });
    const turns = turnsOf(this);
    const pauseMs = turns.pauseMs(nodeId);
    if (pauseMs > 0) await sleep(pauseMs);
    mustBeJoined(this);
    turns.begun(nodeId);
    const rereads = rereadsOf(this);
    const isAnyPaused = this.paused().some(
      ({ partitions: { length } }) => length > 0,
    );
    // The loops of all brokers share this wait. One that has chosen its partitions may read a longer wait by then: so a resume
    // can be late by the longest wait.
    this.maxWaitTime = turns.waitMs(isAnyPaused || rereads.isAnyWaiting());
    const batches = await orSeek(this, fetch.call(this, nodeId));
    turns.answered(nodeId, batches.map(broughtBy));
    return batches.filter((batch) => {
      const fetched = fetchedOf(batch);
      return fetched === null || !rereads.isWanted(batch, fetched);
    });
  };

  // A broken batch that is fetched again later: until then its partition is left out of the fetches. It is not paused, because
  // only the runners pause and resume.
  group.getActiveTopicPartitions = function () {
    const active = getActiveTopicPartitions.call(this);
    const rereads = rereadsOf(this);
    for (const [topic, partitions] of Object.entries(active))
      for (const partition of partitions) {
        const nextOffset = () =>
          this.offsetManager.nextOffset(topic, partition).toString();
        if (rereads.isHeldBack({ topic, partition }, nextOffset))
          partitions.delete(partition);
      }
    return active;
  };

  // kafkajs would commit a default offset without metadata; which offsets are done would be lost
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
    const isFirst = !heartbeatsBegun.has(this);
    if (isFirst) heartbeatsBegun.set(this, performance.now());
    try {
      await orSeek(this, heartbeat.call(this, given));
    } finally {
      if (isFirst) heartbeatsBegun.delete(this);
    }
  };

  group.joinAndSync = function () {
    return joinOnce(this, () => joinAndSync.call(this));
  };

  // kafkajs retries a commit under the generation that it has by then. Our commits go to the coordinator directly, once, under
  // the generation in which they were computed. So refuse any other commit for a bound group
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

/** When the heartbeat under way was begun (docs/kafkajs.md, "A heartbeat is reported late"). */
const heartbeatsBegun = new WeakMap<ConsumerGroup, number>();

/** The heartbeat that is under way was sent at this time (monotonic ms) or later. Now, if none is under way. */
export function heartbeatBegunAt(group: ConsumerGroup): number {
  return heartbeatsBegun.get(group) ?? performance.now();
}

function bindingOf(group: ConsumerGroup): GroupBinding | undefined {
  for (const assigner of group.assigners)
    if (BINDING in assigner) return assigner[BINDING] as GroupBinding;
  return undefined;
}

function broughtBy(batch: GroupBatch): Brought {
  const lastOffset = fetchedOf(batch)?.lastOffset ?? null;
  return {
    position:
      lastOffset === null ? Number(batch.fetchedOffset) : lastOffset + 1,
    highWatermark: Number(batch.highWatermark),
  };
}

const turnsOfGroups = new WeakMap<ConsumerGroup, FetchTurns>();

function turnsOf(group: ConsumerGroup): FetchTurns {
  let turns = turnsOfGroups.get(group);
  if (turns === undefined) {
    turns = new FetchTurns(() => performance.now(), group.maxWaitTime);
    turnsOfGroups.set(group, turns);
  }
  return turns;
}

const rereadsOfGroups = new WeakMap<object, Rereads>();

/** Which broken batches are fetched again, in this group. */
export function rereadsOf(group: Pick<ConsumerGroup, "cluster">): Rereads {
  let rereads = rereadsOfGroups.get(group);
  if (rereads === undefined) {
    rereads = new Rereads({
      monotonic: () => performance.now(),
      // If it fails, the fetches go on with the metadata they have.
      refreshMetadata: () =>
        void group.cluster.refreshMetadata().catch(() => undefined),
    });
    rereadsOfGroups.set(group, rereads);
  }
  return rereads;
}
