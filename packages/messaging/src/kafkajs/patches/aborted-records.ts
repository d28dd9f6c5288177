/**
 * Which batches belong to an aborted transaction: computed from the broker's list of aborted transactions and the markers in the
 * log. `holds` must be called for the batches in the order of the log. Source: Kafka's own consumer.
 */
import { AT, CONTROL, TRANSACTIONAL } from "./batch-header.ts";
import type { AbortedTransaction } from "./fetched-records.ts";

export class AbortedRecords {
  /** By their first offset, ascending. */
  readonly #transactions: readonly AbortedTransaction[];
  #next = 0;
  /** Producers with an aborted transaction that is open at the current batch. */
  readonly #aborting = new Set<bigint>();

  constructor(transactions: readonly AbortedTransaction[]) {
    this.#transactions = transactions;
  }

  /** Whether the batch that begins at `start` must be left out. Also true for the marker that ends a transaction, which is noted. */
  holds(set: Buffer, start: number, lastOffset: number): boolean {
    const attributes = set.readInt16BE(start + AT.attributes);
    const transactions = this.#transactions;
    if (transactions.length === 0 || (attributes & TRANSACTIONAL) === 0)
      return false;
    for (; this.#next < transactions.length; this.#next++) {
      const { firstOffset, producerId } = transactions[this.#next]!;
      if (firstOffset > lastOffset) break;
      this.#aborting.add(producerId);
    }
    const producerId = set.readBigInt64BE(start + AT.producerId);
    if ((attributes & CONTROL) === 0) return this.#aborting.has(producerId);
    // A marker ends the open transaction of its producer.
    this.#aborting.delete(producerId);
    return true;
  }
}
