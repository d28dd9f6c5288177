/** The least is for what a busy process adds, on both sides; the most for a connection that was slow to open for other reasons. */
const LEAST_MS = 10;
const MOST_MS = 200;

/**
 * How long after a request an error may still come from a close that crossed it on the way: twice the round trip, which
 * opening the socket has shown in `connectMs`. What closes later has had the time to read the request.
 */
export function idleRaceMs(connectMs: number): number {
  return Math.min(Math.max(2 * connectMs, LEAST_MS), MOST_MS);
}
