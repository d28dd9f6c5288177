import type { Clock, Lifecycle, Log } from "./effects.ts";
import { LATE, within } from "./within.ts";

/** How long a part may overrun the deadline before the next one is stopped all the same. */
const OVERRUN_MS = 500;

/**
 * Many parts as one. `start` starts them in order; if one fails, those begun are stopped again and the error is thrown.
 * `stop` stops those begun in reverse, each with the deadline; a part that fails or overruns is logged and does not keep
 * the others from stopping, and `stop` then rejects with an AggregateError. `stop` during `start` is allowed: no further
 * part is started. Stopping twice is one stop.
 */
export function composeLifecycle(
  parts: readonly Lifecycle[],
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Lifecycle {
  const begun: Lifecycle[] = [];
  let stopping: Promise<void> | undefined;

  async function stopBegun(deadline: number): Promise<void> {
    const failures: unknown[] = [];
    for (const part of begun.toReversed()) {
      try {
        await stopInTime(part, deadline, clock);
      } catch (error) {
        log.error("part.stopFailed", { error });
        failures.push(error);
      }
    }
    if (failures.length > 0)
      throw new AggregateError(
        failures,
        `${failures.length} parts did not stop`,
      );
  }

  function stop(deadline: number): Promise<void> {
    stopping ??= stopBegun(deadline);
    return stopping;
  }

  return {
    async start() {
      for (const part of parts) {
        if (stopping !== undefined) return;
        begun.push(part);
        try {
          await part.start();
        } catch (error) {
          await stop(clock.now() + 5_000).catch(() => undefined); // logged above; the reason to stop is what matters
          throw error;
        }
      }
    },
    stop,
  };
}

async function stopInTime(
  part: Lifecycle,
  deadline: number,
  clock: Clock,
): Promise<void> {
  const leftMs = Math.max(deadline - clock.now(), 0) + OVERRUN_MS;
  if ((await within(part.stop(deadline), leftMs)) === LATE)
    throw new Error("did not stop before its deadline");
}
