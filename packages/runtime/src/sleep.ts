import { setTimeout as timePasses } from "node:timers/promises";

/**
 * Resolves after `ms`, or at once when the signal is aborted, before or meanwhile. Never rejects, and no timer is left. A signal
 * costs more with every sleeper that listens to it: for a few, not for one of every open record.
 */
export async function sleep(
  ms: number,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<void> {
  try {
    await timePasses(ms, undefined, signal && { signal });
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  }
}
