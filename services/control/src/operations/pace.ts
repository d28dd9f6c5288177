/** So many turns a second, in the order in which they are asked for; who waits holds no timer but the first. */
import { sleep, type Clock } from "@postrider/runtime";

/** Resolves when it is the caller's turn. Rejects once the signal is aborted. */
export type Pace = (signal: AbortSignal) => Promise<void>;

export function createPace(perSecond: number, clock: Clock): Pace {
  let last: Promise<unknown> = Promise.resolve();
  let dueAt = -Infinity;

  async function untilDue(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const waitMs = dueAt - clock.monotonic();
    if (waitMs > 0) await sleep(waitMs, { signal });
    signal.throwIfAborted();
    dueAt = Math.max(dueAt, clock.monotonic()) + 1_000 / perSecond;
  }

  return async (signal) => {
    const turn = last.then(() => untilDue(signal));
    last = turn.catch(() => undefined);
    await turn;
  };
}
