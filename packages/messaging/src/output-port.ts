/**
 * The port to which runners send their records. Only the implementation in `output/` knows producers.
 */
import type { Lifecycle } from "@postrider/runtime";
import type { OutRecord, RawRecord } from "./record.ts";

/** How a call of `sendThen` ended: null if every record is acknowledged, else the error with which `send` rejects. Must not throw. */
export type Sent = (error: Error | null) => void;

/** Batched, idempotent output with acks=all. It retries through every fault of the broker. */
export interface Output extends Lifecycle {
  /**
   * Resolves once every record is acknowledged. A record that the broker refuses for its size, or whose value does not fit its
   * schema, is replaced by a dead letter, which must be acknowledged instead. `source` is the record that these records follow from;
   * its coordinates go into such a dead letter.
   *
   * Retries for ever. Rejects when the output is stopped. Also rejects, before it has queued any record, with `UnfitValueError` if a
   * value does not fit and there is no `source` that a dead letter could name.
   */
  send(records: readonly OutRecord[], source?: RawRecord): Promise<void>;
  /**
   * As `send`, for callers to whom the promises of each record would cost as much as the work that they wait for: calls `ended`
   * once, at the earliest before it returns. Never throws.
   */
  sendThen(
    records: readonly OutRecord[],
    source: RawRecord | undefined,
    ended: Sent,
  ): void;
  /** Records sent and not acknowledged yet. */
  unacknowledged(): number;
  /** Age of the oldest unacknowledged record, ms; 0 if there is none. */
  oldestUnacknowledgedMs(): number;
}
