/**
 * The first part of a stop, for a stage whose handlers wait for somebody: a handler that runs may need a minute, and until it
 * ends the partitions cannot have another owner. So that they do not stand still, lanes that are quick go on meanwhile.
 *
 * It is over once the handlers that ran at its beginning have ended, and none has run for a second. What runs then is quick, so
 * the rest of the stop (runner-stop.ts) takes a moment.
 */
import type { EpochMs } from "@postrider/core";
import { sleep, type Clock } from "@postrider/runtime";
import type { Lanes } from "../lanes/lanes.ts";
import type { OpenRecord } from "./open-record.ts";

/** A lane with a handler that has run for so long starts no record any more, ms. */
const SLOW_MS = 1_000;
const LOOK_EVERY_MS = 20;

/** `running`: in the order of their starts. */
export async function windDown<In>(
  running: ReadonlySet<OpenRecord<In>>,
  lanes: Pick<Lanes<OpenRecord<In>>, "windDown" | "retire">,
  { deadline, clock }: { readonly deadline: EpochMs; readonly clock: Clock },
): Promise<void> {
  const awaited = new Set(running);
  lanes.windDown();
  while (clock.now() < deadline) {
    const now = clock.monotonic();
    let isOver = true;
    for (const entry of running) {
      const isSlow = now - entry.startedAt >= SLOW_MS;
      if (!isSlow && !awaited.has(entry)) break;
      isOver = false;
      // A record in flight is in a lane.
      if (isSlow) lanes.retire(entry.lane!);
    }
    if (isOver) return;
    await sleep(LOOK_EVERY_MS);
  }
}
