import { setTimeout as sleep } from "node:timers/promises";
import type { Attempt } from "@postrider/core";
import { waitFor } from "@postrider/testkit";
import type { FaultCase } from "../case.ts";
import { LIMIT } from "../endpoints.ts";

export const rateLimited: FaultCase = {
  name: "rate-limited",
  proves:
    "an endpoint's rate limit holds in each dispatcher across a kill and a rebalance, each new owner adds one burst at most, and its whole backlog is delivered",
  async run(world, random) {
    await world.startAll();
    const first = world.services.one("dispatcher");
    // In the long form a part of the backlog goes to the tiers, because its turn is more than 32 s away.
    const seconds = world.isShort ? 6 : 45;
    const backlog = LIMIT.perSecond * seconds;
    const others = world.publisher.publish({ perSecond: 200, seconds: 20 });
    await world.publisher.publish({
      perSecond: backlog,
      seconds: 1,
      only: "limited",
    });
    const sent = () =>
      world.receiver.requests.filter(({ path }) => path === "/limited").length;
    await waitFor(() => sent() > backlog / 4, { timeoutMs: 60_000 });
    await sleep(random.between(0, 500));
    await world.kill9(first);
    await world.services.start("dispatcher");
    await waitFor(() => sent() > backlog / 2, { timeoutMs: 120_000 });
    await world.interrupted(() => world.services.start("dispatcher"));
    await others;
    world.also(function* ({ attempts }) {
      const limited = attempts.filter(
        ({ eventType, attemptNumber }) =>
          eventType === "load.limited" && attemptNumber > 0,
      );
      const workers = Map.groupBy(limited, ({ worker }) => worker);
      for (const [worker, made] of workers) yield* tooFast(worker, made);
      const delivered = limited.filter((one) => one.outcome === "delivered");
      const ids = new Set(delivered.map((one) => one.deliveryId)).size;
      if (ids !== backlog) yield `${ids} of ${backlog} were delivered`;
      const all = stretches(limited, LIMIT.burst * workers.size);
      if (all !== null) yield `all dispatchers together: ${all}`;
    });
  },
};

function* tooFast(worker: string, made: readonly Attempt[]): Iterable<string> {
  const found = stretches(made, LIMIT.burst);
  if (found !== null) yield `${worker}: ${found}`;
}

/** A stretch of time in which more attempts started than the rate and `burst` allow, in words; null if there is none. */
function stretches(made: readonly Attempt[], burst: number): string | null {
  const starts = made.map((one) => one.startedAt).toSorted((a, b) => a - b);
  for (const [first, from] of starts.entries())
    for (let last = first; last < starts.length; last++) {
      // `startedAt` is in whole milliseconds of a wall clock, so a stretch may be a little longer than it looks.
      const ms = starts[last]! - from + 5;
      const allowed = (ms * LIMIT.perSecond) / 1_000 + burst;
      if (last - first + 1 > allowed)
        return `${last - first + 1} attempts within ${ms} ms`;
    }
  return null;
}
