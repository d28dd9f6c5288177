import { setTimeout as timePasses } from "node:timers/promises";
import { LONGEST_TIMER_MS } from "./within.ts";

/**
 * Resolves after `ms` (24 days at most), or as soon as the signal is aborted (at once if it already is). Never rejects and leaves no timer.
 * Each sleeper adds a listener to its signal, and a signal gets slower with every listener: use this for a few sleepers,
 * not for one per open record.
 */
export async function sleep(
  ms: number,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<void> {
  try {
    const timerMs = Math.min(ms, LONGEST_TIMER_MS);
    await timePasses(timerMs, undefined, signal && { signal });
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  }
}
