import { setTimeout as sleep } from "node:timers/promises";
import { waitFor } from "@postrider/testkit";
import type { FaultCase } from "../case.ts";
import { commitsPrompt } from "../checks.ts";

/** Longer than a slow machine needs for what the case does before the kill. */
const HANG_MS = 40_000;
const HEALTHY = ["/healthy0", "/healthy1", "/healthy2", "/healthy3"];
/** Requests to each healthy endpoint while another hangs. With the rest of the load, that is about a second of it. */
const PASSED = 150;

export const hangingRequest: FaultCase = {
  name: "hanging-request",
  proves:
    "requests that hang for their whole deadline hold nobody up while a thousand records a second pass, and a kill then repeats none that passed",
  blackholeTimeoutMs: HANG_MS,
  async run(world, random) {
    await world.startAll();
    const dispatcher = world.services.one("dispatcher");
    const load = world.publisher.publish({
      perSecond: 1_000,
      seconds: world.isShort ? 5 : 20,
      rare: { blackhole: 3 },
    });
    const hanging = await waitFor(() =>
      world.receiver.requests.find(({ path }) => path === "/blackhole"),
    );
    await waitFor(
      () => {
        const later = world.receiver.requests.filter(
          ({ at }) => at > hanging.at,
        );
        const passed = Map.groupBy(later, ({ path }) => path);
        return HEALTHY.every(
          (path) => (passed.get(path)?.length ?? 0) >= PASSED,
        );
      },
      { what: "healthy endpoints to get requests while one hangs" },
    );
    // Well before the deadline of the first request, when thousands of later records are done.
    await sleep(random.between(2_000, 4_000));
    await world.kill9(dispatcher);
    world.mood.blackhole = 200;
    await world.services.start("dispatcher");
    await load;
    world.also(commitsPrompt);
  },
};
