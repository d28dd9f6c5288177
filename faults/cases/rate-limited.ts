import { setTimeout as sleep } from "node:timers/promises";
import type { RunningService } from "@postrider/cli";
import type { Attempt } from "@postrider/core";
import { partitionOf } from "@postrider/messaging";
import { waitFor } from "@postrider/testkit";
import type { FaultCase } from "../case.ts";
import { endpointIdOf, LIMIT } from "../endpoints.ts";
import { logged } from "../services.ts";
import { PARTITIONS, type World } from "../world.ts";

/** So many seconds of the limit come once another dispatcher has joined. */
const SECONDS_MORE = 3;

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
    const publish = async (perSecond: number): Promise<void> =>
      await world.publisher.publish({ perSecond, seconds: 1, only: "limited" });
    await publish(backlog);
    const sent = () =>
      world.receiver.requests.filter(({ path }) => path === "/limited").length;
    await waitFor(() => sent() > backlog / 4, { timeoutMs: 60_000 });
    await sleep(random.between(0, 500));
    await world.kill9(first);
    const [second] = await world.services.start("dispatcher");
    await waitFor(() => sent() > backlog / 2, { timeoutMs: 120_000 });
    const [third] = await world.interrupted(() =>
      world.services.start("dispatcher"),
    );
    const all = backlog + LIMIT.perSecond * SECONDS_MORE;
    await publish(all - backlog);
    // Of two partitions one has moved. If it was the other one, that of the limited endpoint must move now, while its deliveries wait.
    if (!owns(third!, world))
      await world.interrupted(() => world.services.stop(second!));
    await others;
    world.also(function* ({ attempts }) {
      const limited = attempts.filter(
        ({ eventType, attemptNumber }) =>
          eventType === "load.limited" && attemptNumber > 0,
      );
      const workers = Map.groupBy(limited, ({ worker }) => worker);
      for (const [worker, made] of workers) yield* tooFast(worker, made);
      for (const { pid } of [first, second!, third!])
        if (![...workers.keys()].some((worker) => worker.endsWith(`:${pid}`)))
          yield `the dispatcher ${pid} has attempted none: the partition did not move to it`;
      const delivered = limited.filter((one) => one.outcome === "delivered");
      const ids = new Set(delivered.map((one) => one.deliveryId)).size;
      if (ids !== all) yield `${ids} of ${all} were delivered`;
      const together = stretches(limited, LIMIT.burst * workers.size);
      if (together !== null) yield `all dispatchers together: ${together}`;
    });
  },
};

/** Whether the dispatcher has the partition of the limited endpoint's deliveries. */
function owns(dispatcher: RunningService, world: World): boolean {
  const key = Buffer.from(endpointIdOf("limited"));
  const place = `${world.topic("deliveries")}/${partitionOf(key, PARTITIONS)}`;
  const held = logged(dispatcher, "partitions.assigned").at(-1)?.fields;
  return (
    (held?.["partitions"] as string[] | undefined)?.includes(place) === true
  );
}

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
