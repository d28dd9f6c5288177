/**
 * The port to which runners send their records. Only the implementation in `output/` knows producers.
 */
import type { Lifecycle } from "@postrider/runtime";
import type { OutRecord, RawRecord } from "./record.ts";

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
  /** Records sent and not acknowledged yet. */
  unacknowledged(): number;
  /** Age of the oldest unacknowledged record, ms; 0 if there is none. */
  oldestUnacknowledgedMs(): number;
}
