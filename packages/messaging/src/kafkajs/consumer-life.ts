/**
 * One kafkajs consumer, from connecting to its end. It ends when the signal aborts, or by a crash after which kafkajs does not
 * restart.
 */
import type {
  Consumer as KafkajsConsumer,
  EachBatchPayload,
  Kafka as KafkajsClient,
} from "kafkajs";
import type { MonotonicMs } from "@postrider/core";
import {
  ABORTED,
  DEFAULT_SESSION_TIMEOUT_MS,
  orAborted,
  type Log,
} from "@postrider/runtime";
import { KAFKAJS_RETRY } from "./client.ts";
import { closeCluster, withCluster, type Cluster } from "./patches/cluster.ts";
import { fetchedOf } from "./patches/fetch-response.ts";
import {
  heartbeatBegunAt,
  type ConsumerGroup,
  type GroupBatch,
} from "./patches/group-binding.ts";
import {
  LONGEST_WAIT_MS,
  type ConsumerOptions,
  type FetchedBatch,
  type TopicPartition,
} from "../ports.ts";
import { removeGhosts } from "./ghosts.ts";
import { reach } from "./reachable.ts";
import type { RawRecord } from "../record.ts";
import { ableName, stickyAssignor, type Ownership } from "./sticky-assignor.ts";

export interface LifeEvents {
  joined(
    group: ConsumerGroup,
    partitions: readonly TopicPartition[],
    allAble: boolean,
  ): void;
  revoking(): void;
  batch(batch: FetchedBatch): void;
  /** One or more records of the next `batch` call that stand for batches or records that could not be read. */
  unreadable(records: readonly RawRecord[]): void;
  outOfRange(partition: TopicPartition): void;
  connected(isConnected: boolean): void;
  /** The cluster cannot be reached, or a topic is missing. We ask again soon. */
  waiting(error: Error): void;
  /** A heartbeat that was sent at this time, or later, is acknowledged. */
  heartbeat(sentAt: MonotonicMs): void;
  fetching(isFirst: boolean): void;
}

const HEARTBEAT_INTERVAL_MS = 1000;

export class ConsumerLife {
  readonly consumer: KafkajsConsumer;
  readonly #probe: KafkajsClient;
  readonly #cluster: Cluster;
  readonly #log: Log;
  readonly #options: ConsumerOptions;
  readonly #events: LifeEvents;
  readonly #crashed = Promise.withResolvers<Error>();
  readonly #fetching = Promise.withResolvers<void>();
  #group: ConsumerGroup | null = null;
  #hasFetched = false;

  constructor(
    options: ConsumerOptions,
    effects: { client: KafkajsClient; probe: KafkajsClient; log: Log },
    events: LifeEvents,
    ownership: () => Ownership,
  ) {
    this.#options = options;
    this.#probe = effects.probe;
    this.#log = effects.log;
    this.#events = events;
    const binding = {
      bound: (group: ConsumerGroup) => (this.#group = group),
      outOfRange: (partition: TopicPartition) => events.outOfRange(partition),
    };
    const { made, cluster } = withCluster(effects.client, () =>
      effects.client.consumer({
        groupId: options.groupId,
        // Not inherited from the client: kafkajs gives a consumer five retries of its own
        // (docs/kafkajs.md, "Retries never run out").
        retry: KAFKAJS_RETRY,
        partitionAssigners: [
          ...(options.ability === undefined
            ? []
            : [stickyAssignor(ownership, binding, ableName(options.ability))]),
          stickyAssignor(ownership, binding),
        ],
        sessionTimeout: options.sessionTimeoutMs ?? DEFAULT_SESSION_TIMEOUT_MS,
        heartbeatInterval: HEARTBEAT_INTERVAL_MS,
        maxWaitTimeInMs: options.maxWaitMs ?? LONGEST_WAIT_MS,
        minBytes: options.minBytes ?? 1,
        maxBytesPerPartition: options.maxBytesPerPartition ?? 1 << 20,
        allowAutoTopicCreation: false,
      }),
    );
    this.consumer = made;
    this.#cluster = cluster;
    this.#listen();
  }

  /** Resolves when the life is over: with null after a stop, else with the error of the crash. */
  async run(signal: AbortSignal): Promise<Error | null> {
    try {
      await reach(this.#probe, this.#options.topics, signal, (fault) => {
        this.#events.connected(false);
        this.#events.waiting(fault);
      });
      if (signal.aborted) return null;
      await this.consumer.connect();
      await this.consumer.subscribe({
        topics: [...this.#options.topics],
        // A group without an offset begins at the log's start; every record of a work topic counts
        // (docs/kafkajs.md, "We say where reading begins").
        fromBeginning: true,
      });
      const { groupId } = this.#options;
      await orAborted(removeGhosts(this.#cluster, groupId, this.#log), signal);
      if (signal.aborted) {
        // We have not joined yet, so there is no group to leave.
        this.#close();
        await this.consumer.disconnect().catch(() => undefined);
        return null;
      }
      await this.consumer.run({
        autoCommit: false,
        eachBatch: (payload) => this.#eachBatch(payload),
      });
    } catch (error) {
      await this.consumer.disconnect().catch(() => undefined);
      return asError(error);
    }
    const crash = await orAborted(this.#crashed.promise, signal);
    if (crash !== ABORTED) {
      this.#close();
      return crash;
    }
    // A disconnect between joining and the first fetch leaves a member behind that joins again
    // (docs/kafkajs.md, "Leaving a group").
    await Promise.race([this.#fetching.promise, this.#crashed.promise]);
    await this.consumer.disconnect();
    this.#close();
    return null;
  }

  /** A search for the group's coordinator may still be running; without this it would connect again once a broker answers. */
  #close(): void {
    closeCluster(this.#cluster);
  }

  #listen(): void {
    const { consumer } = this;
    const { events } = consumer;
    consumer.on(events.GROUP_JOIN, ({ payload }) => {
      const partitions = Object.entries(payload.memberAssignment).flatMap(
        ([topic, list]) => list.map((partition) => ({ topic, partition })),
      );
      const { ability } = this.#options;
      const allAble =
        ability !== undefined && payload.groupProtocol === ableName(ability);
      this.#events.joined(this.#group!, partitions, allAble);
    });
    consumer.on(events.REBALANCING, () => this.#events.revoking());
    consumer.on(events.HEARTBEAT, () =>
      this.#events.heartbeat(heartbeatBegunAt(this.#group!)),
    );
    consumer.on(events.FETCH_START, () => {
      const isFirst = !this.#hasFetched;
      this.#hasFetched = true;
      if (isFirst) this.#fetching.resolve();
      this.#events.fetching(isFirst);
    });
    consumer.on(events.CRASH, ({ payload }) => {
      this.#events.connected(false);
      if (!payload.restart) this.#crashed.resolve(asError(payload.error));
    });
  }

  /**
   * Hands the batch over and returns at once: an await here would stall every partition of the broker (docs/kafkajs.md, "The
   * fetch loop never waits"). Batches without records are handed over too, because the position moves with them
   * (docs/kafkajs.md, "Batches with nothing for us").
   */
  #eachBatch(payload: EachBatchPayload): Promise<void> {
    // These fields are missing in kafkajs' types, but every Batch of 2.2.4 has them.
    const batch = payload.batch as unknown as GroupBatch;
    const fetched = fetchedOf(batch);
    if (fetched === null) return Promise.resolve();
    const { broken, unreadable } = fetched;
    // A batch that is still broken here has been fetched `BROKEN_FETCHES` times (reread.ts) and is given up.
    const records = broken === null ? fetched.records : [broken];
    const lost = broken === null ? unreadable : [broken];
    if (lost.length > 0) this.#events.unreadable(lost);
    this.#events.batch({
      topic: batch.topic,
      partition: batch.partition,
      fetchOffset: Number(batch.fetchedOffset),
      records,
      lastOffset: broken?.unreadable?.lastOffset ?? fetched.lastOffset!,
      highWatermark: Number(batch.highWatermark),
    });
    return Promise.resolve();
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
