import { setTimeout as sleep } from "node:timers/promises";

/** Calls `condition` every 25 ms until it returns true or `timeoutMs` is over; returns its last result. A rejection counts as false. */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  timeoutMs: number,
): Promise<boolean> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    try {
      if (await condition()) return true;
    } catch {
      // Not ready yet: a server that is starting usually refuses connections.
    }
    if (performance.now() >= end) return false;
    await sleep(25);
  }
}
