/**
 * What the runners, tables and services need of Kafka. Only the adapters in `kafkajs/` know kafkajs.
 * All topics here are full names, with the prefix.
 */
import type { EpochMs, MonotonicMs } from "@postrider/core";
import type { RawRecord, RecordHeaders } from "./record.ts";

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** What is stored for a partition of a group; `offset` is null when nothing is. */
export interface CommittedOffset extends TopicPartition {
  readonly offset: number | null;
  readonly metadata: string;
}

/** The log: `start` is the first offset that can be read, `end` one past the last record (the high watermark). */
export interface LogRange extends TopicPartition {
  readonly start: number;
  readonly end: number;
}

/** One fetched batch of one partition. `records` may be empty (control records, compaction); the position is then still `lastOffset + 1`. */
export interface FetchedBatch extends TopicPartition {
  /** The offset at which the fetch began: what lies between it and the first record does not exist. */
  readonly fetchOffset: number;
  readonly records: readonly RawRecord[];
  readonly lastOffset: number;
  readonly highWatermark: number;
}

/** Called by a consumer. Every method returns at once: none may await. */
export interface ConsumerListener {
  /** A new assignment, after a join or rejoin. All of its partitions are paused until `resume`. `epoch` names it; the epoch before it has ended. */
  assigned(epoch: number, partitions: readonly TopicPartition[]): void;
  /** The group is about to rebalance: the last moment in which a commit of this epoch is accepted; start it synchronously. */
  revoking(epoch: number): void;
  /** A batch, in offset order within its partition, of a partition that belongs to `epoch`. */
  batch(epoch: number, batch: FetchedBatch): void;
  /** The position was outside the log. The partition is paused and nothing was committed: seek, resume, and commit our position at once. */
  outOfRange(epoch: number, partition: TopicPartition): void;
  /** Joined, fetching: true. Crashed, evicted or unreachable: false; the consumer keeps trying by itself, for ever. */
  connected(isConnected: boolean): void;
}

/** One member of a group. Offsets are committed by hand only. */
export interface Consumer {
  /** Resolves once joined and fetching for the first time; keeps trying while the broker is away, until `stop`. */
  start(listener: ConsumerListener): Promise<void>;
  pause(partitions: readonly TopicPartition[]): void;
  resume(partitions: readonly TopicPartition[]): void;
  /** The next fetch of the partition starts at `offset`, which must lie within the log. */
  seek(partition: TopicPartition, offset: number): void;
  /** Tried once, under the epoch's own member and generation. Rejects with `StaleAssignmentError` if the epoch has ended, `CommitError` on any other failure. Never retries. */
  commit(
    epoch: number,
    offsets: readonly (TopicPartition & {
      offset: number;
      metadata: string;
    })[],
  ): Promise<void>;
  /** What is stored for the group now. */
  fetchCommitted(
    partitions: readonly TopicPartition[],
  ): Promise<CommittedOffset[]>;
  /** The log's ranges now. */
  fetchLogRanges(partitions: readonly TopicPartition[]): Promise<LogRange[]>;
  /** The first offset of the partition whose record was written at this time or later; null if none was. */
  fetchOffsetAt(partition: TopicPartition, at: EpochMs): Promise<number | null>;
  /** When the coordinator last acknowledged a heartbeat (or join) of this member. */
  lastHeartbeatAt(): MonotonicMs;
  /** When a fetch loop last turned, or could not because the cluster was away. It turns while every partition is paused, too. */
  lastFetchAt(): MonotonicMs;
  /** Leaves the group. Only after the last commit was acknowledged: kafkajs drops commits during its stop. Resolves at the deadline at the latest, and after 5 s: a broker that is away never answers. Safe to call twice and before `start` resolved. */
  stop(deadline?: EpochMs): Promise<void>;
}

/** A record ready for the broker. `partition` is explicit: the output computes it (murmur2 of the key, as the Java client). */
export interface ProducerRecord {
  readonly topic: string;
  readonly partition: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: RecordHeaders | undefined;
}

/** An idempotent producer, acks=all. At most one `sendBatch` in flight: a second call while one runs throws. */
export interface Producer {
  /** Resolves when every record is acknowledged. After any error this producer must be discarded; what became of the batch is then unknown, but for the records that a `PartlyAcknowledgedError` names. `RecordTooLargeError` and `TopicMissingError`, on their own or as its cause, are told apart. */
  sendBatch(records: readonly ProducerRecord[]): Promise<void>;
  /** Learns where the partitions of these topics are and connects there, so that the first batch need not. Throws `TopicMissingError`. */
  warm(topics: readonly string[]): Promise<void>;
  disconnect(): Promise<void>;
}

/** Makes connected producers; a runner discards one after any error and asks for another. */
export type ProducerFactory = () => Promise<Producer>;

/** A topic as it is or should be. `config` holds only what is set on the topic itself. */
export interface TopicDescription {
  readonly topic: string;
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly config: Readonly<Record<string, string>>;
}

export interface Admin {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  /** Which of the topics exist, with their settings. */
  describeTopics(topics: readonly string[]): Promise<TopicDescription[]>;
  listTopics(): Promise<string[]>;
  /** Creates them and waits until each has a leader. `replicationFactor` -1 is the broker's default. */
  createTopics(topics: readonly TopicDescription[]): Promise<void>;
  addPartitions(topic: string, partitions: number): Promise<void>;
  /** Changes the named settings and keeps the others (read, merge, write). */
  alterTopicConfig(
    topic: string,
    config: Readonly<Record<string, string>>,
  ): Promise<void>;
  deleteTopics(topics: readonly string[]): Promise<void>;
  listGroups(): Promise<string[]>;
  /** Groups without members; their offsets go with them. */
  deleteGroups(groups: readonly string[]): Promise<void>;
  fetchLogRanges(topics: readonly string[]): Promise<LogRange[]>;
  fetchCommitted(
    groupId: string,
    topics: readonly string[],
  ): Promise<CommittedOffset[]>;
  brokerCount(): Promise<number>;
  /** How many partitions each topic has; a topic that does not exist is left out. Needs no right to read settings. */
  partitionCounts(topics: readonly string[]): Promise<Map<string, number>>;
  /** A setting of each topic as it is in effect, its own or the broker's default; a topic that does not exist is left out. */
  topicSetting(
    topics: readonly string[],
    name: string,
  ): Promise<Map<string, string>>;
  /** What one broker has set, or takes as default, under these names; unknown names are left out. */
  brokerSettings(names: readonly string[]): Promise<Map<string, string>>;
}

/** How to reach the cluster. */
export interface KafkaConnection {
  readonly brokers: readonly string[];
  readonly clientId: string;
}

/** A pause or a resume takes effect within this, ms. */
export const DEFAULT_MAX_WAIT_MS = 100;
/** Far below a third of any session timeout, as heartbeats are sent between fetches (docs/kafkajs.md, "Fetches are short"), ms. */
export const LONGEST_WAIT_MS = 250;

/** For `minBytes` where a record is in no hurry: fewer and larger fetches cost us and the broker less. */
export const LARGE_FETCH_BYTES = 256 << 10;

export interface ConsumerOptions {
  readonly groupId: string;
  readonly topics: readonly string[];
  /** Default 30,000. */
  readonly sessionTimeoutMs?: number;
  /** Default 1 MiB. */
  readonly maxBytesPerPartition?: number;
  /** A fetch waits for so many bytes, `maxWaitMs` at most. Default 1: whatever is there. */
  readonly minBytes?: number;
  /** Fetches return after this at the latest. Pause, resume, stop and the first fetch of an assignment may wait as long, too. Default `DEFAULT_MAX_WAIT_MS`, at most `LONGEST_WAIT_MS`. */
  readonly maxWaitMs?: number;
}

/** The epoch in which a commit was computed has ended; it was not sent, or the group refused it for that reason. */
export class StaleAssignmentError extends Error {
  readonly code = "STALE_ASSIGNMENT";
}

/** A commit failed for another reason. Others of the same request may have been stored. */
export class CommitError extends Error {
  readonly code = "COMMIT_FAILED";
}

/** A record, alone, is larger than the topic's or broker's limit. */
export class RecordTooLargeError extends Error {
  readonly code = "RECORD_TOO_LARGE";
}

/** Of one batch these records are acknowledged, and must not be sent again; the others met the cause. */
export class PartlyAcknowledgedError extends Error {
  readonly code = "PARTLY_ACKNOWLEDGED";
  readonly acknowledged: ReadonlySet<ProducerRecord>;

  constructor(acknowledged: ReadonlySet<ProducerRecord>, cause: unknown) {
    super(`${acknowledged.size} records are acknowledged, the others are not`, {
      cause,
    });
    this.acknowledged = acknowledged;
  }
}

/** The topic, or the partition, does not exist. */
export class TopicMissingError extends Error {
  readonly code = "TOPIC_MISSING";
}

/** Where the broker put a record. */
export interface RecordPosition extends TopicPartition {
  readonly offset: number;
}

/**
 * A transactional producer under one transactional id: only its newest owner can write. Of use to a single writer
 * (control); never in the hot path, where a transaction costs nine requests.
 */
export interface FencedProducer {
  /** Writes all or nothing and says where each record is. Throws `FencedError` when another owner took over; after any error this producer must be discarded. */
  send(records: readonly ProducerRecord[]): Promise<RecordPosition[]>;
  disconnect(): Promise<void>;
}

/** Another producer took the transactional id over: this one owns nothing any more. */
export class FencedError extends Error {
  readonly code = "FENCED";
}
