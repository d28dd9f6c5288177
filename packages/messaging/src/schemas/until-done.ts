import { sleep, type Log } from "@postrider/runtime";
import { failureReason } from "./failure-reason.ts";

export interface Retrying {
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly longestMs: number;
  /** Called with the reason of each failure. */
  readonly failed?: ((reason: string) => void) | undefined;
}

/** Tries `act` until it succeeds, less and less often, at most `longestMs` apart. Rejects if the signal aborts. */
export async function untilDone(
  what: string,
  { log, signal, longestMs, failed }: Retrying,
  act: () => Promise<void>,
): Promise<void> {
  for (let waitMs = 50; ; waitMs = Math.min(longestMs, waitMs * 2)) {
    signal.throwIfAborted();
    try {
      return await act();
    } catch (error) {
      const reason = failureReason(error);
      failed?.(reason);
      log.warn("schemas.failed", { what, error: reason });
      await sleep(waitMs, { signal });
    }
  }
}
