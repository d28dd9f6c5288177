/**
 * Which batches belong to a transaction that was aborted, told from the broker's list of such transactions and the markers
 * in the log. Batches are asked about in the order of the log. Source: Kafka's own consumer.
 */
import { AT, CONTROL, TRANSACTIONAL } from "./batch-header.ts";
import type { AbortedTransaction } from "./fetched-records.ts";

export class AbortedRecords {
  /** By their first offset, ascending. */
  readonly #transactions: readonly AbortedTransaction[];
  #next = 0;
  /** Producers in whose aborted transaction the reading stands. */
  readonly #aborting = new Set<bigint>();

  constructor(transactions: readonly AbortedTransaction[]) {
    this.#transactions = transactions;
  }

  /** Whether the batch that begins at `start` is not for us; the marker of a transaction's end is noted. */
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
    // A marker ends what its producer had begun.
    this.#aborting.delete(producerId);
    return true;
  }
}
