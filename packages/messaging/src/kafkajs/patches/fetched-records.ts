/** What is asked of the decoder and what it gives, and how much it may become in memory. */
import type { RawRecord } from "../../record.ts";

/**
 * A batch inflates to this at most: 32 times what a broker takes by default (`message.max.bytes`, 1 MiB), where JSON shrinks
 * to a tenth or a twentieth. Batches of brokers that take more may inflate to eight times their own size.
 */
export function inflatedLimit(batchBytes: number): number {
  return Math.max(32 << 20, 8 * batchBytes);
}

/** About 50 MB as objects. Producers close a batch by its bytes, 1 MB or less: four bytes a record. */
export const MAX_RECORDS = 250_000;

export interface PartitionFetch {
  readonly topic: string;
  readonly partition: number;
  /** What was asked for: what lies below it is passed over. */
  readonly fetchOffset: number;
  readonly highWatermark: number;
  /** Transactions whose records are not for us, by their first offset, ascending. */
  readonly aborted: readonly AbortedTransaction[];
}

export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: number;
}

/** What may still be made of one response, in bytes. Shared by its partitions; what goes beyond is fetched again. */
export interface FetchBudget {
  leftBytes: number;
}

/** What one response may become in memory: six times what a fetch asks for (10 MiB). Its last batch may go beyond. */
export const RESPONSE_BUDGET_BYTES = 64 << 20;
/** What a record takes beside its bytes, about. */
export const RECORD_OVERHEAD_BYTES = 200;

export interface FetchedRecords {
  readonly records: readonly RawRecord[];
  /** Those of them that are `unreadable`. */
  readonly unreadable: readonly RawRecord[];
  /** All up to here is accounted for; null: nothing is. It may be control records, aborted or compacted ones only. */
  readonly lastOffset: number | null;
  /** Set where nothing is accounted for because the very first batch is broken. */
  readonly broken: RawRecord | null;
  /** What was fetched begins above what was asked for, and nothing in it bears that out. */
  readonly isDoubtful: boolean;
}
