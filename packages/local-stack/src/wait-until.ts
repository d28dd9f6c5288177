import { setTimeout as sleep } from "node:timers/promises";

/** Asks `condition` every 25 ms until it says yes or `timeoutMs` is over; returns its last answer. A rejection counts as no. */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  timeoutMs: number,
): Promise<boolean> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    try {
      if (await condition()) return true;
    } catch {
      // Not ready yet: a refused connection is the usual answer of a server that is starting.
    }
    if (performance.now() >= end) return false;
    await sleep(25);
  }
}
