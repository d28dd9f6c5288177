/**
 * Idempotent producers with kafkajs 2.2.4 (docs/kafkajs.md, "One batch in flight, none after an error"). Three defects of
 * kafkajs are worked around here:
 *
 * - It drops records of a partition of which it has no metadata, and reports success. It also retries a missing topic for
 *   ever. So topics and partitions are checked before each batch.
 * - When it retries, it leaves out the brokers that have answered. A partition that has moved to one of those meanwhile is
 *   left out with them, and kafkajs reports success. So a record counts as stored only if a broker's answer says so.
 * - A send that is being retried goes on after `disconnect`, and reconnects. So the cluster object of a discarded producer is
 *   closed (docs/kafkajs.md, "Leaving a group").
 */
import { counted } from "@postrider/core";
import kafkajs from "kafkajs";
import type { Kafka, Message, Producer as KafkajsProducer } from "kafkajs";
import { closeCluster, withCluster, type Cluster } from "./patches/cluster.ts";
import { isAcknowledged } from "./patches/produce-request.ts";
import {
  PartlyAcknowledgedError,
  RecordTooLargeError,
  TopicMissingError,
  type Producer,
  type ProducerFactory,
  type ProducerRecord,
} from "../ports.ts";
import type { ValueBytes } from "../value-bytes.ts";

type Sent = ProducerRecord<ValueBytes>;

/** Makes connected idempotent producers with acks=all and one `sendBatch` in flight each. Connecting is retried until the broker answers. */
export function createProducerFactory(client: Kafka): ProducerFactory {
  return async () => {
    const { made, cluster } = withCluster(client, () =>
      client.producer({
        idempotent: true,
        allowAutoTopicCreation: false,
        createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
      }),
    );
    try {
      await made.connect();
    } catch (error) {
      await discard(made, cluster);
      throw error;
    }
    return producerOf(made, cluster);
  };
}

/** Groups records by topic, as kafkajs takes them, in the given order. kafkajs' partitioners prefer a message's `partition` to its key. */
export function topicMessages(
  records: readonly Sent[],
): { topic: string; messages: GroupedMessages }[] {
  const byTopic = new Map<string, GroupedMessages>();
  for (const record of records) {
    let messages = byTopic.get(record.topic);
    if (messages === undefined)
      byTopic.set(record.topic, (messages = new GroupedMessages()));
    messages.add(record);
  }
  return [...byTopic].map(([topic, messages]) => ({ topic, messages }));
}

/**
 * A topic's messages, already grouped by partition. kafkajs would group them with `reduce`, copying a partition's array for
 * every message (quadratic) and asking a partitioner for each. The `reduce` of this class returns the same groups at once.
 */
class GroupedMessages extends Array<Message> {
  readonly #byPartition: Record<number, Message[]> = {};

  /** `map`, `filter` and the like return a plain array. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array;
  }

  add(record: Sent): void {
    // A record has the fields of a message. kafkajs types the values of a repeated header as mutable, but only reads them.
    const message = record as unknown as Message;
    this.push(message);
    (this.#byPartition[record.partition] ??= []).push(message);
  }

  isAcknowledged(partition: number): boolean {
    return isAcknowledged(this.#byPartition[partition]!);
  }

  areAcknowledged(): boolean {
    return Object.values(this.#byPartition).every(isAcknowledged);
  }

  override reduce(): never {
    // Only kafkajs' groupMessagesPerPartition calls this, and it expects the groups.
    return this.#byPartition as never;
  }
}

/** Throws `TopicMissingError` unless every record's topic and partition exist. Asks the broker only for topics that are not known yet. */
export async function requirePartitions(
  cluster: Cluster,
  records: readonly Sent[],
): Promise<void> {
  const highest = new Map<string, number>();
  for (const { topic, partition } of records)
    highest.set(topic, Math.max(partition, highest.get(topic) ?? 0));
  try {
    await cluster.addMultipleTargetTopics([...highest.keys()]);
    await cluster.refreshMetadataIfNecessary();
  } catch (cause) {
    throw portError(cause, [...highest.keys()]);
  }
  for (const [topic, partition] of highest) {
    const { length } = cluster.findTopicPartitionMetadata(topic);
    if (partition >= length)
      throw new TopicMissingError(
        length === 0
          ? `topic ${topic} does not exist, or this user may not describe it`
          : `topic ${topic} has ${counted(length, "partition")}, so no partition ${partition}`,
      );
  }
}

async function warm(
  cluster: Cluster,
  topics: readonly string[],
): Promise<void> {
  try {
    await cluster.addMultipleTargetTopics(topics);
  } catch (cause) {
    throw portError(cause, topics);
  }
  const leaders = new Set(
    topics.flatMap((topic) =>
      cluster.findTopicPartitionMetadata(topic).map(({ leader }) => leader),
    ),
  );
  await Promise.all(
    [...leaders].map((leader) =>
      cluster.findBroker({ nodeId: String(leader) }),
    ),
  );
}

/** Turns a kafkajs error into the port's error; any other error is returned as it is. */
export function portError(cause: unknown, topics: readonly string[]): unknown {
  switch (typeOf(cause)) {
    case "MESSAGE_TOO_LARGE":
    case "RECORD_LIST_TOO_LARGE":
      return new RecordTooLargeError(
        `a batch for ${topics.join(", ")} is larger than the broker or a topic allows`,
        { cause },
      );
    case "UNKNOWN_TOPIC_OR_PARTITION":
    case "INVALID_TOPIC_EXCEPTION":
      return new TopicMissingError(
        `one of the topics ${topics.join(", ")} does not exist, or this user may not describe it`,
        { cause },
      );
    default:
      return cause;
  }
}

/** The Kafka protocol's name of an error. kafkajs puts it on the error, or on its cause if the retrier has wrapped the error. */
export function typeOf(error: unknown): string | undefined {
  if (typeof error !== "object" || error === null) return undefined;
  if ("type" in error && typeof error.type === "string") return error.type;
  return "cause" in error ? typeOf(error.cause) : undefined;
}

/** Disconnects, and ends retries that would connect again. Never rejects. */
export async function discard(
  producer: KafkajsProducer,
  cluster: Cluster,
): Promise<void> {
  closeCluster(cluster);
  await producer.disconnect().catch(() => undefined);
}

function producerOf(producer: KafkajsProducer, cluster: Cluster): Producer {
  let isSending = false;
  return {
    async sendBatch(records) {
      if (isSending) throw new Error("a sendBatch is in flight already");
      if (records.length === 0) return;
      isSending = true;
      const grouped = topicMessages(records);
      try {
        await requirePartitions(cluster, records);
        await producer.sendBatch({ acks: -1, topicMessages: grouped });
        if (!grouped.every(({ messages }) => messages.areAcknowledged()))
          throw new Error("a partition moved, and kafkajs left it out");
      } catch (cause) {
        const error = portError(
          cause,
          grouped.map(({ topic }) => topic),
        );
        const acknowledged = acknowledgedOf(records, grouped);
        throw acknowledged.size === 0
          ? error
          : new PartlyAcknowledgedError(acknowledged, error);
      } finally {
        isSending = false;
      }
    },
    warm: (topics) => warm(cluster, topics),
    disconnect: () => discard(producer, cluster),
  };
}

function acknowledgedOf(
  records: readonly Sent[],
  grouped: readonly { topic: string; messages: GroupedMessages }[],
): ReadonlySet<Sent> {
  const messagesOf = new Map(
    grouped.map(({ topic, messages }) => [topic, messages]),
  );
  return new Set(
    records.filter(({ topic, partition }) =>
      messagesOf.get(topic)!.isAcknowledged(partition),
    ),
  );
}
