/**
 * What runners, tables and services need of Kafka, as ports. Only the adapters in `kafkajs/` know kafkajs.
 * All topics here are full names, with the prefix.
 */
import type { EpochMs, MonotonicMs } from "@postrider/core";
import type { KafkaConfig } from "@postrider/runtime";
import type { RawRecord, RecordHeaders } from "./record.ts";
import type { ValueBytes } from "./value-bytes.ts";

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** The commit that a group has stored for a partition; `offset` is null if there is none. */
export interface CommittedOffset extends TopicPartition {
  readonly offset: number | null;
  readonly metadata: string;
}

/** The end of a partition's log: one past the last record (the high watermark). */
export interface LogEnd extends TopicPartition {
  readonly end: number;
}

/** The range of a partition's log: `start` is the first offset that can be read. */
export interface LogRange extends LogEnd {
  readonly start: number;
}

/** One fetched batch of one partition. `records` may be empty (control records, compaction); the position is then still `lastOffset + 1`. */
export interface FetchedBatch extends TopicPartition {
  /** The offset at which the fetch began. Offsets between it and the first record do not exist. */
  readonly fetchOffset: number;
  readonly records: readonly RawRecord[];
  readonly lastOffset: number;
  readonly highWatermark: number;
}

/** Called by a consumer. Every method returns at once: none may await. */
export interface ConsumerListener {
  /** A new assignment, after a join or rejoin. All its partitions are paused until `resume`. `epoch` is its number; the epoch before has ended. `allAble`: every member of the group has our `ability`. */
  assigned(
    epoch: number,
    partitions: readonly TopicPartition[],
    allAble?: boolean,
  ): void;
  /** The group is about to rebalance. This is the last moment in which a commit of this epoch is accepted: send it synchronously. */
  revoking(epoch: number): void;
  /** A batch, in offset order within its partition, of a partition that belongs to `epoch`. */
  batch(epoch: number, batch: FetchedBatch): void;
  /** The position was outside the log. The consumer has paused the partition and committed nothing. The listener must seek and resume at once, and commit its position if it commits at all. */
  outOfRange(epoch: number, partition: TopicPartition): void;
  /** True: joined and fetching. False: crashed, evicted or unreachable; the consumer keeps trying by itself, for ever. */
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
  /** Commits once, without retries, under the epoch's member id and generation. Rejects with `StaleAssignmentError` if the epoch has ended, and with `CommitError` on any other failure. */
  commit(
    epoch: number,
    offsets: readonly (TopicPartition & {
      offset: number;
      metadata: string;
    })[],
  ): Promise<void>;
  /** The commits that the group has stored now. */
  fetchCommitted(
    partitions: readonly TopicPartition[],
  ): Promise<CommittedOffset[]>;
  /** The logs' ranges now. A partition without a leader is missing. */
  fetchLogRanges(partitions: readonly TopicPartition[]): Promise<LogRange[]>;
  /** As `fetchLogRanges`, with half the requests. */
  fetchLogEnds(partitions: readonly TopicPartition[]): Promise<LogEnd[]>;
  /** Fetches once from any partition of a topic that we read, ours or not, and moves no position: at most `maxBytes`, or one batch if that is larger. Null if nothing came; ask again. Rejects where the partition has no leader, or the offset lies outside the log. */
  fetchOnce(
    partition: TopicPartition,
    offset: number,
    maxBytes: number,
  ): Promise<FetchedBatch | null>;
  /** The first offset of the partition whose record was written at this time or later; null if none was. */
  fetchOffsetAt(partition: TopicPartition, at: EpochMs): Promise<number | null>;
  /** When the last request of this member that proves its membership was sent: an acknowledged heartbeat, or the last request of its join. The answer may be much younger (a slow broker, a frozen process), and the session counts from the request. */
  lastHeartbeatAt(): MonotonicMs;
  /** When a fetch loop last turned, or was last found unable to because the group's coordinator did not answer. Loops also turn while every partition is paused. */
  lastFetchAt(): MonotonicMs;
  /** Says that this member is about to stop: from now on a rebalance gives it no partition that it does not have, unless no other member can take it. It begins no rebalance. */
  beginLeaving(): void;
  /** Leaves the group. Call it after the last commit was acknowledged, because kafkajs drops commits during its stop. Resolves after 5 s at the latest, and not after the deadline, even if the broker never answers. Safe to call twice, and before `start` has resolved. */
  stop(deadline?: EpochMs): Promise<void>;
}

/** An encoded record with its partition. The output computes `partition` (murmur2 of the key, as the Java client). */
export interface ProducerRecord<Value extends ValueBytes = Buffer> {
  readonly topic: string;
  readonly partition: number;
  readonly key: Buffer | null;
  readonly value: Value | null;
  readonly headers?: RecordHeaders | undefined;
}

/** An idempotent producer with acks=all. At most one `sendBatch` may be in flight: a second call meanwhile rejects. */
export interface Producer {
  /** Resolves when every record is acknowledged. After any error this producer must be discarded; records may be stored or not, except those that a `PartlyAcknowledgedError` names as stored. The error, or its cause if it is a `PartlyAcknowledgedError`, may be a `RecordTooLargeError` or a `TopicMissingError`. */
  sendBatch(records: readonly ProducerRecord<ValueBytes>[]): Promise<void>;
  /** Finds the leaders of these topics' partitions and connects to them, so that the first batch does not have to. Rejects with `TopicMissingError`. */
  warm(topics: readonly string[]): Promise<void>;
  disconnect(): Promise<void>;
}

/** Makes connected producers; a runner discards one after any error and asks for another. */
export type ProducerFactory = () => Promise<Producer>;

/** What a right allows, as Kafka and its `kafka-acls` name it. To read or to write is also to describe. */
export type Operation =
  | "Read"
  | "Write"
  | "Create"
  | "Alter"
  | "Describe"
  | "DescribeConfigs"
  | "AlterConfigs";

/** What this client may do, by topic or group. */
export type GrantedOperations = ReadonlyMap<string, ReadonlySet<Operation>>;

/** A group as its coordinator knows it. */
export interface DescribedGroup {
  readonly groupId: string;
  /** In Kafka's words: `Stable`, `Empty`, `PreparingRebalance`, `CompletingRebalance`, `Dead`. */
  readonly state: string;
  readonly members: readonly DescribedMember[];
}

/** Only of a stable group what depends on the group's assignment is known: `version`, `pid` and `partitions`. */
export interface DescribedMember {
  readonly clientId: string;
  /** The address from which it has joined. */
  readonly host: string;
  /** Of Postrider; null: not known, or of a version that does not tell it. */
  readonly version: string | null;
  /** Of its process, within its container; null where it is not known. */
  readonly pid: number | null;
  readonly partitions: readonly TopicPartition[];
}

/** A topic as the cluster knows it. `refused`: we may not describe it. */
export type DescribedTopic =
  | { readonly kind: "refused" | "missing"; readonly topic: string }
  | {
      readonly kind: "described";
      readonly topic: string;
      readonly partitions: readonly DescribedPartition[];
    };

export interface DescribedPartition {
  readonly partition: number;
  readonly hasLeader: boolean;
  readonly replicas: number;
  readonly inSyncReplicas: number;
  /** Null: its leader did not answer. */
  readonly range: LogRange | null;
}

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
  /** What we may do on these topics; one that does not exist is left out. Rejects where the broker is older than Kafka 2.3. */
  topicOperations(topics: readonly string[]): Promise<GrantedOperations>;
  /** What we may do on these groups, which need not exist. Rejects where a broker is older than Kafka 2.3. */
  groupOperations(groups: readonly string[]): Promise<GrantedOperations>;
  /** Of a transactional id that we may not even describe: nothing. The others are left out, because Kafka does not tell what more we may do. */
  transactionOperations(ids: readonly string[]): Promise<GrantedOperations>;
  /** What we may do on the cluster; null where the broker does not tell it. Rejects where it is older than Kafka 2.3. */
  clusterOperations(): Promise<ReadonlySet<Operation> | null>;
  /** The time of Kafka's controller; null where it does not tell it, which needs Kafka 3.3 and Describe on the cluster. */
  controllerClock(): Promise<EpochMs | null>;
  listGroups(): Promise<string[]>;
  /** Deletes groups, which must have no members, with their offsets. */
  deleteGroups(groups: readonly string[]): Promise<void>;
  /** The groups that are wanted and that we may describe. `silent`: the ids of brokers that did not answer; the groups that they coordinate are left out. */
  describeGroups(isWanted: (groupId: string) => boolean): Promise<{
    readonly groups: readonly DescribedGroup[];
    readonly silent: readonly number[];
  }>;
  /** Each of the topics, with its logs. Needs Describe on them alone. */
  describeLogs(topics: readonly string[]): Promise<readonly DescribedTopic[]>;
  fetchLogRanges(topics: readonly string[]): Promise<LogRange[]>;
  fetchCommitted(
    groupId: string,
    topics: readonly string[],
  ): Promise<CommittedOffset[]>;
  /** As `Consumer.fetchOnce`, in no group: needs the right to read the topic, and no other. */
  fetchOnce(
    partition: TopicPartition,
    offset: number,
    maxBytes: number,
  ): Promise<FetchedBatch | null>;
  brokerCount(): Promise<number>;
  /** How many partitions each topic has; a topic that does not exist is left out. Needs no right to read settings. */
  partitionCounts(topics: readonly string[]): Promise<Map<string, number>>;
  /** The effective values of these settings by topic: its own or the broker's. A topic that does not exist is left out. Rejects where one of the topics does not show its settings to us. */
  topicSettings(
    topics: readonly string[],
    names: readonly string[],
  ): Promise<Map<string, Readonly<Record<string, string>>>>;
  /** The effective values of these settings on one broker; unknown names are left out. */
  brokerSettings(names: readonly string[]): Promise<Map<string, string>>;
}

/** How to reach the cluster. */
export interface KafkaConnection {
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** TLS and SASL; without it, neither. */
  readonly security?: KafkaConfig;
  /** Called whenever Kafka refuses a request for want of a right. */
  readonly onUnauthorized?: () => void;
}

/** How long a fetch waits by default, and at most, ms. A stop waits for it, and heartbeats are sent between fetches, so this must be far below a third of any session timeout (docs/kafkajs.md, "Fetches are short"). */
export const LONGEST_WAIT_MS = 250;

/** As `LONGEST_WAIT_MS`, for a member that is alone in its group, so that nobody waits until it notices a rebalance, ms. */
export const LONGEST_WAIT_ALONE_MS = 500;

/** A value for `minBytes` if records may wait: fewer and larger fetches cost us and the broker less. */
export const LARGE_FETCH_BYTES = 256 << 10;

export interface ConsumerOptions {
  readonly groupId: string;
  readonly topics: readonly string[];
  /** Default `DEFAULT_SESSION_TIMEOUT_MS`. */
  readonly sessionTimeoutMs?: number;
  /** The name of something that this version does and older ones do not. A group learns whether all its members have it (`ConsumerListener.assigned`). */
  readonly ability?: string;
  /** Default 1 MiB. */
  readonly maxBytesPerPartition?: number;
  /** The broker answers a fetch once it has so many bytes, or after `maxWaitMs`. Default 1. */
  readonly minBytes?: number;
  /** A fetch returns after this at the latest; while a partition is paused, after 100 ms. A stop, and a seek of a partition that is not paused, may be delayed as long. Default, and maximum in a group of several, `LONGEST_WAIT_MS`. */
  readonly maxWaitMs?: number;
}

/** The epoch in which a commit was computed has ended. The commit was not sent, or the group refused it for that reason. */
export class StaleAssignmentError extends Error {
  readonly code = "STALE_ASSIGNMENT";
}

/** A commit failed for another reason than the end of its epoch. Other partitions of the same request may have been stored. */
export class CommitError extends Error {
  readonly code = "COMMIT_FAILED";
}

/** A record, or all records of a partition in one batch together, are larger than the limit of the topic or broker. */
export class RecordTooLargeError extends Error {
  readonly code = "RECORD_TOO_LARGE";
}

/** Some records of a batch are acknowledged and must not be sent again. The others failed with the `cause`. */
export class PartlyAcknowledgedError extends Error {
  readonly code = "PARTLY_ACKNOWLEDGED";
  readonly acknowledged: ReadonlySet<ProducerRecord<ValueBytes>>;

  constructor(
    acknowledged: ReadonlySet<ProducerRecord<ValueBytes>>,
    cause: unknown,
  ) {
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

/** Where the broker has stored a record. */
export interface RecordPosition extends TopicPartition {
  readonly offset: number;
}

/**
 * A transactional producer with a transactional id: only the newest owner of the id can write. For a single writer (control). Do
 * not use it in the hot path: a transaction costs nine requests.
 */
export interface FencedProducer {
  /**
   * Writes all records or none, and returns where each is. Rejects with `FencedError` if another owner took over: then none was
   * written. After any other error it is not known whether all or none were. After any error this producer must be discarded.
   */
  send(records: readonly ProducerRecord[]): Promise<RecordPosition[]>;
  disconnect(): Promise<void>;
}

/** Another producer has taken over the transactional id, or the transaction timed out: this one can no longer write, and what it sent last was not written. */
export class FencedError extends Error {
  readonly code = "FENCED";
}
