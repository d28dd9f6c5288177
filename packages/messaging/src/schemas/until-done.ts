import { sleep, type Log } from "@postrider/runtime";

export interface Retrying {
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly longestMs: number;
  /** Called with the reason of each failure. */
  readonly failed?: ((reason: string) => void) | undefined;
}

/** What a proxy says for a registry can be a whole page. */
const REASON_CHARS = 300;

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
      const reason = String(error).slice(0, REASON_CHARS);
      failed?.(reason);
      log.warn("schemas.failed", { what, error: reason });
      await sleep(waitMs, { signal });
    }
  }
}
