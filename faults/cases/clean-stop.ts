import { waitFor } from "@postrider/testkit";
import type { FaultCase } from "../case.ts";
import { nothingRepeated } from "../checks.ts";
import { metricOf } from "../services.ts";

const IN_FLIGHT = 500;
/** So long that the requests are in flight together even where only a hundred start in a second. */
const SLOW_MS = 5_000;

export const cleanStop: FaultCase = {
  name: "clean-stop",
  proves:
    "a SIGTERM with 500 requests in flight ends with code 0 and repeats nothing",
  async run(world) {
    await world.startAll();
    const dispatcher = world.services.one("dispatcher");
    // Each endpoint's concurrency grows with its successes; then all endpoints become slow.
    const load = world.publisher.publish({ perSecond: 500, seconds: 4 });
    await waitFor(() => world.receiver.requests.length > 800);
    world.mood.slowMs = SLOW_MS;
    await waitFor(
      async () =>
        ((await metricOf(dispatcher, "postrider_in_flight")) ?? 0) >= IN_FLIGHT,
      { what: `${IN_FLIGHT} requests in flight` },
    );
    await world.services.stop(dispatcher);
    world.mood.slowMs = 0;
    await world.services.start("dispatcher");
    await load;
    world.also(nothingRepeated);
  },
};
