import { setTimeout as sleep } from "node:timers/promises";
import type { RunningService } from "@postrider/cli";
import type { Attempt } from "@postrider/core";
import { waitFor } from "@postrider/testkit";
import type { FaultCase } from "../case.ts";
import { logged } from "../services.ts";

/** As in the dispatcher's breaker.ts. */
const PROBES = 3;
/** A breaker opens at 10 failures in a row; two attempts are under way at once, so an eleventh may have begun. */
const BEFORE_OPEN = 11;
/** The backlog returns within 20 s, and each hop of it takes a second. */
const WITHIN_MS = 60_000;

export const breaker: FaultCase = {
  name: "breaker",
  proves:
    "a thousand deliveries for a dead endpoint cost it a few requests, then three at most each time that its breaker half-opens, also after a kill; once it is well, all are delivered",
  isLong: true,
  async run(world, random) {
    world.mood.outage = 503;
    await world.startAll();
    const first = world.services.one("dispatcher");
    const queued = world.isShort ? 300 : 1_000;
    const others = world.publisher.publish({ perSecond: 100, seconds: 20 });
    await world.publisher.publish({
      perSecond: queued,
      seconds: 1,
      only: "outage",
    });
    await reopened(first, world.isShort ? 1 : 2);
    await sleep(random.between(0, 3_000));
    await world.kill9(first);
    const [second] = await world.services.start("dispatcher");
    await reopened(second!, 1);
    world.mood.outage = 200;
    await waitFor(() => logged(second!, "breaker.closed").length > 0, {
      timeoutMs: WITHIN_MS,
      what: "breaker.closed",
    });
    await others;
    world.also(function* ({ attempts, deadLetters }) {
      const made = attempts.filter(
        ({ eventType, attemptNumber }) =>
          eventType === "load.outage" && attemptNumber > 0,
      );
      yield* wrongCounts(first, made, true);
      yield* wrongCounts(second!, made, false);
      const delivered = made.filter(({ outcome }) => outcome === "delivered");
      const ids = new Set(delivered.map(({ deliveryId }) => deliveryId)).size;
      if (ids !== queued) yield `${ids} of ${queued} were delivered`;
      const lost = deadLetters.filter(
        ({ eventType }) => eventType === "load.outage",
      );
      if (lost.length > 0) yield `${lost.length} became dead letters`;
    });
  },
};

async function reopened(service: RunningService, times: number): Promise<void> {
  await waitFor(() => logged(service, "breaker.reopened").length >= times, {
    timeoutMs: WITHIN_MS,
    what: `breaker.reopened ${times} times`,
  });
}

/**
 * The attempts of one process between its breaker's changes. A turn that opens the breaker again may have fewer than PROBES: the first
 * failure opens it, if no other probe is under way just then. A turn that closes it has PROBES, because all of them must be
 * answered, and enough deliveries wait. A kill may keep the attempts before the last change from being recorded.
 */
function* wrongCounts(
  service: RunningService,
  made: readonly Attempt[],
  isKilled: boolean,
): Iterable<string> {
  const own = made.filter(({ worker }) => worker.endsWith(`:${service.pid}`));
  let from = 0;
  const changes = [
    ...turns(service, "breaker.opened", { least: 1, most: BEFORE_OPEN }),
    ...turns(service, "breaker.reopened", { least: 1, most: PROBES }),
    ...turns(service, "breaker.closed", { least: PROBES, most: PROBES }),
  ].sort((a, b) => a.at - b.at);
  for (const change of changes) {
    const { at, most, event } = change;
    const least = isKilled && change === changes.at(-1) ? 0 : change.least;
    const turn = own.filter(
      ({ startedAt }) => startedAt > from && startedAt <= at,
    );
    // What waited for the probes may start in the millisecond in which they close the breaker.
    const probes =
      event === "breaker.closed"
        ? turn.filter(({ startedAt }) => startedAt < at)
        : turn;
    if (probes.length > most || turn.length < least)
      yield `${turn.length} attempts before ${event} at ${new Date(at).toISOString()}, expected ${least} to ${most}`;
    from = at;
  }
}

function turns(
  service: RunningService,
  event: string,
  expected: { readonly least: number; readonly most: number },
) {
  return logged(service, event).map(({ at }) => ({ at, event, ...expected }));
}
