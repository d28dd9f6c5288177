/**
 * One kafkajs consumer from its connection to its end. It ends by `stop`, or by a crash that kafkajs does not restart.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type {
  Consumer as KafkajsConsumer,
  EachBatchPayload,
  Kafka as KafkajsClient,
  KafkaMessage,
} from "kafkajs";
import { KAFKAJS_RETRY } from "./kafkajs-client.ts";
import type { ConsumerGroup, GroupBatch } from "./kafkajs-binding.ts";
import type { ConsumerOptions, FetchedBatch, TopicPartition } from "./ports.ts";
import type { RawRecord, RecordHeaders } from "./record.ts";
import { stickyAssignor, type Ownership } from "./kafkajs-assignor.ts";

export interface LifeEvents {
  joined(group: ConsumerGroup, partitions: readonly TopicPartition[]): void;
  revoking(): void;
  batch(batch: FetchedBatch): void;
  outOfRange(partition: TopicPartition): void;
  connected(isConnected: boolean): void;
  heartbeat(): void;
  fetching(isFirst: boolean): void;
}

/** Fetches return after this at the latest; it bounds pause, resume and stop, too (rule 2), ms. */
const MAX_WAIT_MS = 100;
const HEARTBEAT_INTERVAL_MS = 1000;
/** Between looks at a cluster that cannot be reached, or a topic that is missing, ms. */
const PROBE_INTERVAL_MS = 500;

export class ConsumerLife {
  readonly consumer: KafkajsConsumer;
  readonly #client: KafkajsClient;
  readonly #options: ConsumerOptions;
  readonly #events: LifeEvents;
  readonly #crashed = Promise.withResolvers<Error>();
  readonly #fetching = Promise.withResolvers<void>();
  #group: ConsumerGroup | null = null;
  #hasFetched = false;

  constructor(
    options: ConsumerOptions,
    client: KafkajsClient,
    events: LifeEvents,
    ownership: () => Ownership,
  ) {
    this.#options = options;
    this.#client = client;
    this.#events = events;
    const binding = {
      bound: (group: ConsumerGroup) => (this.#group = group),
      emptyBatch: (batch: GroupBatch) => events.batch(emptyBatch(batch)),
      outOfRange: (partition: TopicPartition) => events.outOfRange(partition),
    };
    this.consumer = client.consumer({
      groupId: options.groupId,
      // Not inherited from the client: kafkajs gives a consumer five retries of its own (rule 17).
      retry: KAFKAJS_RETRY,
      partitionAssigners: [stickyAssignor(ownership, binding)],
      sessionTimeout: options.sessionTimeoutMs ?? 30_000,
      heartbeatInterval: HEARTBEAT_INTERVAL_MS,
      maxWaitTimeInMs: MAX_WAIT_MS,
      maxBytesPerPartition: options.maxBytesPerPartition ?? 1 << 20,
      allowAutoTopicCreation: false,
    });
    this.#listen();
  }

  /** Resolves when the life is over: null after a stop, else what it crashed of. */
  async run(signal: AbortSignal): Promise<Error | null> {
    try {
      await this.#reach(signal);
      if (signal.aborted) return null;
      await this.consumer.connect();
      await this.consumer.subscribe({
        topics: [...this.#options.topics],
        // A group without an offset begins at the log's start; every record of a work topic counts (rule 11).
        fromBeginning: true,
      });
      await this.consumer.run({
        autoCommit: false,
        eachBatch: (payload) => this.#eachBatch(payload),
      });
    } catch (error) {
      await this.consumer.disconnect().catch(() => undefined);
      return asError(error);
    }
    const crash = await Promise.race([this.#crashed.promise, aborted(signal)]);
    if (crash !== null) return crash;
    // A disconnect between joining and the first fetch leaves a member behind that joins again (rule 17b).
    await Promise.race([this.#fetching.promise, this.#crashed.promise]);
    await this.consumer.disconnect();
    return null;
  }

  /** Waits, so that it can be stopped, until the cluster answers and has the topics: kafkajs' own wait cannot be ended. */
  async #reach(signal: AbortSignal): Promise<void> {
    const admin = this.#client.admin({ retry: { retries: 0 } });
    try {
      for (;;) {
        const isReached = await admin
          .connect()
          .then(() =>
            admin.fetchTopicMetadata({ topics: [...this.#options.topics] }),
          )
          .then(
            () => true,
            () => false,
          );
        if (isReached || signal.aborted) return;
        this.#events.connected(false);
        await sleep(PROBE_INTERVAL_MS, undefined, { signal }).catch(
          () => undefined,
        );
      }
    } finally {
      await admin.disconnect().catch(() => undefined);
    }
  }

  #listen(): void {
    const { consumer } = this;
    const { events } = consumer;
    consumer.on(events.GROUP_JOIN, ({ payload }) => {
      const partitions = Object.entries(payload.memberAssignment).flatMap(
        ([topic, list]) => list.map((partition) => ({ topic, partition })),
      );
      this.#events.joined(this.#group!, partitions);
    });
    consumer.on(events.REBALANCING, () => this.#events.revoking());
    consumer.on(events.HEARTBEAT, () => this.#events.heartbeat());
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

  /** Enqueues and returns: an await here would stall every partition of the broker (rule 1). */
  #eachBatch({ batch }: EachBatchPayload): Promise<void> {
    const { topic, partition } = batch;
    // Not in kafkajs' types, but in every Batch of 2.2.4.
    const { fetchedOffset } = batch as unknown as GroupBatch;
    this.#events.batch({
      topic,
      partition,
      fetchOffset: Number(fetchedOffset),
      records: batch.messages.map((message) =>
        rawRecord(topic, partition, message),
      ),
      lastOffset: Number(batch.lastOffset()),
      highWatermark: Number(batch.highWatermark),
    });
    return Promise.resolve();
  }
}

/** kafkajs wants them grouped. */
export function byTopic(
  partitions: readonly TopicPartition[],
): { topic: string; partitions: number[] }[] {
  const grouped = new Map<string, number[]>();
  for (const { topic, partition } of partitions) {
    const list = grouped.get(topic);
    if (list === undefined) grouped.set(topic, [partition]);
    else list.push(partition);
  }
  return [...grouped].map(([topic, list]) => ({ topic, partitions: list }));
}

function emptyBatch(batch: GroupBatch): FetchedBatch {
  return {
    topic: batch.topic,
    partition: batch.partition,
    fetchOffset: Number(batch.fetchedOffset),
    records: [],
    lastOffset: Number(batch.lastOffset()),
    highWatermark: Number(batch.highWatermark),
  };
}

function rawRecord(
  topic: string,
  partition: number,
  message: KafkaMessage,
): RawRecord {
  const { key, value } = message;
  // Key and value are views of a whole fetch response: one record that stays open would keep megabytes alive.
  const keyBytes = key?.length ?? 0;
  const own = Buffer.allocUnsafe(keyBytes + (value?.length ?? 0));
  key?.copy(own, 0);
  value?.copy(own, keyBytes);
  return {
    topic,
    partition,
    offset: Number(message.offset),
    timestamp: Number(message.timestamp),
    key: key === null ? null : own.subarray(0, keyBytes),
    value: value === null ? null : own.subarray(keyBytes),
    headers: ownHeaders(message.headers),
  };
}

const NO_HEADERS: RecordHeaders = {};

function ownHeaders(headers: KafkaMessage["headers"]): RecordHeaders {
  if (headers === undefined) return NO_HEADERS;
  let own: Record<string, Buffer | Buffer[]> | null = null;
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined) continue;
    own ??= {};
    own[name] = Array.isArray(value)
      ? value.map((one) => Buffer.from(one))
      : Buffer.from(value);
  }
  return own ?? NO_HEADERS;
}

function aborted(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(null);
    else signal.addEventListener("abort", () => resolve(null), { once: true });
  });
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
