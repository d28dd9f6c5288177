import type { Clock, Lifecycle, Log } from "./effects.ts";
import { LATE, within } from "./within.ts";

/** How long a part may still be stopping after the deadline; then the next part is stopped anyway. */
const OVERRUN_MS = 500;

/**
 * Combines several parts into one. `start` starts them in order; if one fails, the parts that were begun are stopped and
 * the error is thrown. `stop` stops the begun parts in reverse order and gives each the deadline. A part that fails or
 * overruns is logged and does not keep the others from stopping; `stop` then rejects with an AggregateError. `stop` may
 * be called during `start`: no further part is started then. A second `stop` returns the promise of the first.
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
        failures.length === 1
          ? "a part did not stop"
          : `${failures.length} parts did not stop`,
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
          await stop(clock.now() + 5_000).catch(() => undefined); // already logged; the caller needs the error of the start
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
