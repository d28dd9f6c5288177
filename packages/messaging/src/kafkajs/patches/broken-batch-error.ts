import type { UnreadableReason } from "../../record.ts";

/** A batch ends the reading: the next fetch may bring it whole. */
export class BrokenBatchError extends Error {
  readonly code = "BATCH_BROKEN";
  readonly reason: UnreadableReason;
  /** Where the batch begins, if it is not the one that was being read. */
  readonly at: number | null;

  constructor(
    reason: UnreadableReason,
    message: string,
    at: number | null = null,
  ) {
    super(message);
    this.reason = reason;
    this.at = at;
  }
}
