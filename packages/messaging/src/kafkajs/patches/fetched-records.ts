/** The input, result and limits of the decoder of fetched records (record-batch-decoder.ts). */
import type { RawRecord } from "../../record.ts";

/**
 * The most that a batch may inflate to, in bytes: 32 MiB, which is 32 times what a broker takes by default (`message.max.bytes`,
 * 1 MiB); JSON shrinks to a tenth or a twentieth. A batch of more than 4 MiB may inflate to eight times its own size.
 */
export function inflatedLimit(batchBytes: number): number {
  return Math.max(32 << 20, 8 * batchBytes);
}

/** At most so many records of a batch are taken: about 50 MB as objects. Producers close a batch at 1 MB or less; this limit is reached only with four bytes a record. */
export const MAX_RECORDS = 250_000;

export interface PartitionFetch {
  readonly topic: string;
  readonly partition: number;
  /** The offset that was asked for: records below it are skipped. */
  readonly fetchOffset: number;
  readonly highWatermark: number;
  /** Aborted transactions, whose records are left out; ascending by first offset. */
  readonly aborted: readonly AbortedTransaction[];
}

export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: number;
}

/** How many bytes of memory one response may still take. Shared by its partitions; batches beyond the budget are fetched again. */
export interface FetchBudget {
  leftBytes: number;
}

/** How many bytes one response may take in memory: six times what a fetch asks for (10 MiB). The last batch may exceed it. */
export const RESPONSE_BUDGET_BYTES = 64 << 20;
/** About how much memory a record takes beside its bytes. */
export const RECORD_OVERHEAD_BYTES = 200;

export interface FetchedRecords {
  readonly records: readonly RawRecord[];
  /** Those of `records` that have `unreadable` set. */
  readonly unreadable: readonly RawRecord[];
  /** Every offset up to here was read, though there may be no record for it (control records, aborted or compacted ones). Null: nothing was read. */
  readonly lastOffset: number | null;
  /** Set if nothing was read because the first batch is broken: the record that takes its place when it is given up. */
  readonly broken: RawRecord | null;
  /** The first batch begins above the fetch offset, and no batch behind it confirms its offsets. */
  readonly isDoubtful: boolean;
}
