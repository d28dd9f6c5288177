/** How long a service may take from the signal until it has stopped, ms: the longest attempt (60 s), which is finished and not repeated, and 15 s more. */
export const LONGEST_STOP_MS = 75_000;

/** How long whoever stops a service waits before it kills it, ms: a service that stops by itself at the last moment still has time to exit. */
export const STOP_PATIENCE_MS = LONGEST_STOP_MS + 15_000;
