import { setTimeout as sleep } from "node:timers/promises";
import type { RunningService } from "@postrider/cli";
import { waitFor } from "@postrider/testkit";
import type { FaultCase } from "../case.ts";
import { logged, metricOf } from "../services.ts";
import { SESSION_TIMEOUT_MS } from "../world.ts";

export const zombie: FaultCase = {
  name: "zombie",
  proves:
    "a dispatcher that was frozen past its session, with sends queued, starts none of them when it wakes, and commits nothing over its successor",
  async run(world, random) {
    await world.startAll();
    const frozen = world.services.one("dispatcher");
    const load = world.publisher.publish({
      perSecond: 400,
      seconds: 8 + SESSION_TIMEOUT_MS / 1000,
    });
    await sleep(random.between(800, 1_500));
    // More requests than may be in flight, so that records queue up before their requests.
    world.mood.slowMs = 4_000;
    await waitFor(
      async () =>
        ((await metricOf(frozen, "postrider_queued_records")) ?? 0) > 100,
    );
    await world.interrupted(async () => {
      frozen.child.kill("SIGSTOP");
    });
    const successor = await world.services.spawn("dispatcher");
    world.mood.slowMs = 0;
    await world.services.ready(successor);
    await sleep(random.between(500, 3_000));
    const wokenAt = Date.now();
    // The woken process leaves its dead membership and joins again. Requests in flight on partitions that then move may be repeated.
    await world.interrupted(async () => {
      frozen.child.kill("SIGCONT");
      await waitFor(() => joinedAt(frozen) > wokenAt);
    });
    world.also(({ attempts }) => {
      const rejoinedAt = joinedAt(frozen);
      return (
        attempts
          .filter(
            ({ worker, startedAt }) =>
              worker.endsWith(`:${frozen.pid}`) &&
              startedAt >= wokenAt &&
              startedAt < rejoinedAt,
          )
          // The process may have been frozen between its check of the lease and the request, so one such attempt is allowed, but no second.
          .slice(1)
          .map(
            ({ webhookId, startedAt }) =>
              `${webhookId} was sent ${startedAt - wokenAt} ms after waking, without a membership`,
          )
      );
    });
    await load;
  },
};

function joinedAt(service: RunningService): number {
  return logged(service, "partitions.assigned").at(-1)?.at ?? 0;
}
