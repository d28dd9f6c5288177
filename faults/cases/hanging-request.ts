import { setTimeout as sleep } from "node:timers/promises";
import { waitFor } from "@postrider/testkit";
import type { FaultCase } from "../case.ts";
import { commitsPrompt } from "../checks.ts";

const HANG_MS = 6_000;

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
    await waitFor(() =>
      world.receiver.requests.some(({ path }) => path === "/blackhole"),
    );
    // Well before the deadline of the first request, when thousands of later records are done.
    await sleep(random.between(3_000, HANG_MS - 1_000));
    const killedAt = Date.now();
    await world.kill9(dispatcher);
    world.mood.blackhole = 200;
    await world.services.start("dispatcher");
    await load;
    world.also(commitsPrompt);
    world.also(({ attempts }) =>
      attempts
        .filter(
          ({ eventType, startedAt, receivedAt }) =>
            eventType.startsWith("load.healthy") &&
            startedAt < killedAt &&
            startedAt - receivedAt > HANG_MS / 2,
        )
        .slice(0, 3)
        .map(
          ({ webhookId, startedAt, receivedAt }) =>
            `${webhookId}, to a healthy endpoint, waited ${startedAt - receivedAt} ms`,
        ),
    );
  },
};
