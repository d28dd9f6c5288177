/** The transactional producer of a single writer, with kafkajs 2.2.4. */
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
 * Takes over the transactional id. When this resolves, every earlier owner is fenced and its open transaction is ended: aborted,
 * or completed if Kafka had taken its commit. (An owner that did not get the answer to its commit cannot tell which.)
 * It always wins, so only a process that has the right to write may call it.
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
      // The open transaction of a dead owner blocks readers no longer than this, ms.
      transactionTimeout: 10_000,
    }),
  );
  try {
    await made.connect();
    // kafkajs takes over the id in the first transaction, so begin one and abort it; it is empty and costs nothing more.
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
    // Check before the commit: kafkajs reports success even if it left out a partition that moved.
    positions = positionsOf(records, stored);
  } catch (error) {
    // Abort now, so that readers need not wait for the transaction's time-out. If this fails too, the time-out aborts it.
    await transaction.abort().catch(() => undefined);
    throw error;
  }
  await transaction.commit();
  return positions;
}

/** The broker answers with the first offset of each partition; the records of a partition have consecutive offsets. */
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

/**
 * Errors that mean another owner took over, or the broker ended the transaction at its time-out. INVALID_TXN_STATE and
 * INVALID_PRODUCER_ID_MAPPING: the new owner has ended or replaced our transaction. Each of them means that nothing of the
 * transaction was written. A refused commit may not hide one that was taken before: kafkajs sends it once, and if its answer is
 * lost, the error is the connection's.
 */
const FENCED = new Set([
  "INVALID_PRODUCER_EPOCH",
  "PRODUCER_FENCED",
  "INVALID_PRODUCER_ID_MAPPING",
  "INVALID_TXN_STATE",
]);
