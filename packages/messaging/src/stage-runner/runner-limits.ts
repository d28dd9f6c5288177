import { DEFAULT_SESSION_TIMEOUT_MS } from "@postrider/runtime";

/** The limits of a stage runner. Each limits memory or time; none limits how often a failing dependency is tried again. */
export interface RunnerLimits {
  /** Handlers that run at once, over all partitions. A stage whose handlers only wait (hold) sets Infinity. */
  readonly maxInFlight: number;
  readonly sessionTimeoutMs: number;
  /** On assignment, `remember` is shown at most so many records below the committed offset, per partition. */
  readonly warmUpRecords: number;
  /** And at most about so many bytes of them, per partition. */
  readonly warmUpBytes: number;
  /** And so many bytes for the whole process, split over the partitions assigned. About 50 MB are read in a second. */
  readonly warmUpBudgetBytes: number;
  /** And only records written at most about so long before the next record to handle, ms (offsets/warm-up). */
  readonly warmUpMs: number;
  /** Bytes of unfinished records, for the whole process; split over the partitions assigned. */
  readonly byteBudget: number;
  /** A partition's share is never more than this. */
  readonly maxOpenBytesPerPartition: number;
  /** Unfinished records per partition. */
  readonly maxOpenPerPartition: number;
  /** Commit metadata of this length puts the window under pressure. The broker takes 4,096 characters. */
  readonly metadataPressureChars: number;
  /** How long a record waits for a schema that cannot be had. After that it becomes a dead letter. */
  readonly unknownSchemaWaitMs: number;
  /** From one commit to the next, at least, ms. Deliveries that a kill makes route or hold write again deliver drops by their ids, while it remembers them, so only deliver commits more often than by default. Their dead letters are written twice (ADR 25). */
  readonly commitIntervalMs: number;
  /** No handler starts while so many output records are unacknowledged. */
  readonly maxUnacknowledged: number;
  /** No handler starts while the oldest unacknowledged output record, or the oldest uncommitted completion, is older than this. */
  readonly stallMs: number;
  /** A fetch takes at most so many bytes of one partition. */
  readonly maxBytesPerPartition: number;
  /** The broker answers a fetch once it has so many bytes, or after `LONGEST_WAIT_MS`. */
  readonly minFetchBytes: number;
}

export const RUNNER_LIMITS: RunnerLimits = {
  maxInFlight: 1000,
  sessionTimeoutMs: DEFAULT_SESSION_TIMEOUT_MS,
  warmUpRecords: 10_000,
  warmUpBytes: 16 << 20,
  warmUpBudgetBytes: Infinity,
  warmUpMs: Infinity,
  byteBudget: 256 << 20,
  maxOpenBytesPerPartition: Infinity,
  maxOpenPerPartition: 4096,
  metadataPressureChars: 3500,
  unknownSchemaWaitMs: 300_000,
  commitIntervalMs: 200,
  maxUnacknowledged: 2000,
  stallMs: 1000,
  maxBytesPerPartition: 1 << 20,
  minFetchBytes: 1,
};
