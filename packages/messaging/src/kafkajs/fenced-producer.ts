/** The transactional producer of a single writer, over kafkajs 2.2.4. */
import kafkajs from "kafkajs";
import type { Kafka, RecordMetadata, Transaction } from "kafkajs";
import { withCluster } from "./patches/cluster.ts";
import {
  discard,
  portError,
  requirePartitions,
  topicMessages,
  typeOf,
} from "./producer.ts";
import {
  FencedError,
  type FencedProducer,
  type ProducerRecord,
  type RecordPosition,
} from "../ports.ts";

/**
 * Takes the transactional id over: when this resolves, every earlier owner is fenced and what it had open is aborted.
 * Only who owns the right to write may call it, because it always wins.
 */
export async function createFencedProducer(
  client: Kafka,
  transactionalId: string,
): Promise<FencedProducer> {
  const { made, cluster } = withCluster(client, () =>
    client.producer({
      idempotent: true,
      allowAutoTopicCreation: false,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
      transactionalId,
      // What a dead owner left open blocks readers no longer than this.
      transactionTimeout: 10_000,
    }),
  );
  try {
    await made.connect();
    // kafkajs takes the id over in the first transaction; an empty one costs nothing more.
    await (await made.transaction()).abort();
  } catch (error) {
    await discard(made, cluster);
    throw fencedOr(error);
  }

  let isSending = false;
  let failure: unknown = null;
  return {
    async send(records) {
      if (isSending) throw new Error("a send is in flight already");
      if (failure !== null)
        throw new Error("this producer failed before and must be discarded", {
          cause: failure,
        });
      if (records.length === 0) return [];
      isSending = true;
      try {
        await requirePartitions(cluster, records);
        return await sendAll(await made.transaction(), records);
      } catch (error) {
        failure = error;
        throw fencedOr(
          portError(error, [...new Set(records.map((r) => r.topic))]),
        );
      } finally {
        isSending = false;
      }
    },
    disconnect: () => discard(made, cluster),
  };
}

async function sendAll(
  transaction: Transaction,
  records: readonly ProducerRecord[],
): Promise<RecordPosition[]> {
  let positions: RecordPosition[];
  try {
    const stored = await transaction.sendBatch({
      acks: -1,
      topicMessages: topicMessages(records),
    });
    // Before the commit: kafkajs reports success although it left out a partition that moved.
    positions = positionsOf(records, stored);
  } catch (error) {
    // Readers must not wait for the transaction's time-out. If this fails too, the time-out does it.
    await transaction.abort().catch(() => undefined);
    throw error;
  }
  await transaction.commit();
  return positions;
}

/** The broker names the first offset of each partition; records of a partition follow each other. */
function positionsOf(
  records: readonly ProducerRecord[],
  stored: readonly RecordMetadata[],
): RecordPosition[] {
  const next = new Map(
    stored.map((part) => [
      `${part.topicName}/${part.partition}`,
      Number(part.baseOffset),
    ]),
  );
  return records.map(({ topic, partition }) => {
    const offset = next.get(`${topic}/${partition}`);
    if (offset === undefined)
      throw new Error(`no offset came back for ${topic}/${partition}`);
    next.set(`${topic}/${partition}`, offset + 1);
    return { topic, partition, offset };
  });
}

function fencedOr(error: unknown): unknown {
  return FENCED.has(typeOf(error) ?? "")
    ? new FencedError("another owner took this transactional id over", {
        cause: error,
      })
    : error;
}

/** INVALID_TXN_STATE and the mapping error: the new owner has ended or replaced what this one had open. */
const FENCED = new Set([
  "INVALID_PRODUCER_EPOCH",
  "PRODUCER_FENCED",
  "INVALID_PRODUCER_ID_MAPPING",
  "INVALID_TXN_STATE",
]);
