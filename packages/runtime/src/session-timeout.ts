/** The default of POSTRIDER_SESSION_TIMEOUT, ms: after so long without a heartbeat the broker gives a member's partitions to others. */
export const DEFAULT_SESSION_TIMEOUT_MS = 30_000;
