/**
 * Where a runner's records go. Only `output.ts` knows producers; a runner knows this port.
 */
import type { Lifecycle } from "@postrider/runtime";
import type { OutRecord, RawRecord } from "./record.ts";

/** Batched, idempotent output with acks=all. It keeps trying through every fault of the broker. */
export interface Output extends Lifecycle {
  /**
   * Resolves once every record is acknowledged, or replaced by an acknowledged dead letter: where the broker refuses it for its
   * size, or where its value does not fit its schema. `source` is the record that these follow from: its coordinates go into such
   * a dead letter. Retries for ever. Rejects when the output is stopped; and, having queued nothing, with `UnfitValueError` where
   * a value does not fit and there is no `source` that a dead letter could name.
   */
  send(records: readonly OutRecord[], source?: RawRecord): Promise<void>;
  /** Records sent and not acknowledged yet. */
  unacknowledged(): number;
  /** Age of the oldest of them; 0 when there are none. */
  oldestUnacknowledgedMs(): number;
}
