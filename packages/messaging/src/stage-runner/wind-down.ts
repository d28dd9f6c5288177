/**
 * The first part of a stop, for a stage whose handlers wait for an endpoint: a handler that runs may need a minute, and until it
 * ends the partitions cannot have another owner. So that they do not stand still, lanes that are quick go on meanwhile.
 *
 * It is over once the handlers that ran at its beginning have ended. What has started since then is quick, and has been given
 * its longest time before the stop's deadline, so that the rest of the stop (runner-stop.ts) can wait for it.
 */
import type { EpochMs } from "@postrider/core";
import { sleep, type Clock } from "@postrider/runtime";
import type { Lanes } from "../lanes/lanes.ts";
import type { OpenRecord } from "./open-record.ts";

/** A lane with a handler that has run for so long starts no record any more, ms. */
const SLOW_MS = 1_000;
const LOOK_EVERY_MS = 20;

export interface WindDownOptions {
  /** When all handlers must have ended. */
  readonly endedBy: EpochMs;
  readonly longestMs: (lane: string) => number;
  readonly clock: Clock;
}

/** `running`: in the order of their starts. */
export async function windDown<In>(
  running: ReadonlySet<OpenRecord<In>>,
  lanes: Pick<Lanes<OpenRecord<In>>, "windDown" | "retire">,
  { endedBy, longestMs, clock }: WindDownOptions,
): Promise<void> {
  const awaited = new Set(running);
  lanes.windDown((lane) => clock.now() + longestMs(lane) <= endedBy);
  while (clock.now() < endedBy) {
    const now = clock.monotonic();
    let isOver = true;
    for (const entry of running) {
      const isAwaited = awaited.has(entry);
      const isSlow = now - entry.startedAt >= SLOW_MS;
      if (!isSlow && !isAwaited) break;
      if (isAwaited) isOver = false;
      // A record in flight is in a lane.
      if (isSlow) lanes.retire(entry.lane!);
    }
    if (isOver) return;
    await sleep(LOOK_EVERY_MS);
  }
}
