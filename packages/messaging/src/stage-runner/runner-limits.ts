/** What bounds a stage runner. Every bound is of memory or of time; none counts retries of infrastructure. */
export interface RunnerLimits {
  /** Handlers at work at once, over all partitions. A stage whose handlers only wait (hold) sets Infinity. */
  readonly maxInFlight: number;
  readonly sessionTimeoutMs: number;
  /** Records below the committed offset that `remember` sees on assignment, a partition. */
  readonly warmUpRecords: number;
  /** And their bytes, about. */
  readonly warmUpBytes: number;
  /** A process' share for each partition is never more than this; about 50 MB are read in a second. */
  readonly warmUpBudgetBytes: number;
  /** And no more than were written in so long before those that come next, about. */
  readonly warmUpMs: number;
  /** Unfinished records' bytes, over the process; split over the partitions assigned. */
  readonly byteBudget: number;
  /** A partition's share is never more than this. */
  readonly maxOpenBytesPerPartition: number;
  /** Unfinished records of a partition. */
  readonly maxOpenPerPartition: number;
  /** Metadata of this length is pressure; the broker takes 4,096. */
  readonly metadataPressureChars: number;
  /** How long a record waits for a schema that cannot be had, before it is a dead letter. */
  readonly unknownSchemaWaitMs: number;
  /** Between two commits, at least. */
  readonly commitIntervalMs: number;
  /** With this many output records unacknowledged, or commits or output this late, nothing is started. */
  readonly maxUnacknowledged: number;
  readonly stallMs: number;
  /** A fetch of one partition, at most. */
  readonly maxBytesPerPartition: number;
  /** A fetch waits for so many bytes, `DEFAULT_MAX_WAIT_MS` at most. */
  readonly minFetchBytes: number;
}

export const RUNNER_LIMITS: RunnerLimits = {
  maxInFlight: 1000,
  sessionTimeoutMs: 30_000,
  warmUpRecords: 10_000,
  warmUpBytes: 16 << 20,
  warmUpBudgetBytes: Infinity,
  warmUpMs: Infinity,
  byteBudget: 256 << 20,
  maxOpenBytesPerPartition: Infinity,
  maxOpenPerPartition: 4096,
  metadataPressureChars: 3500,
  unknownSchemaWaitMs: 300_000,
  commitIntervalMs: 20,
  maxUnacknowledged: 2000,
  stallMs: 1000,
  maxBytesPerPartition: 1 << 20,
  minFetchBytes: 1,
};
