/** The default of POSTRIDER_SESSION_TIMEOUT, ms: after so long without a heartbeat the broker gives a member's partitions to others. Measured and chosen in docs/adr/0019-a-session-lasts-ten-seconds.md. */
export const DEFAULT_SESSION_TIMEOUT_MS = 10_000;
