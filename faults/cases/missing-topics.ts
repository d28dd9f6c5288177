import { setTimeout as sleep } from "node:timers/promises";
import { readiness } from "@postrider/cli";
import { createTopics } from "@postrider/testkit";
import type { FaultCase } from "../case.ts";

const MISSING = ["attempts", "retry.500ms", "deliveries"];

export const missingTopics: FaultCase = {
  name: "missing-topics",
  proves:
    "services that start before their topics exist report what is missing, keep running, and begin when it is there",
  isLong: true,
  async run(world) {
    await world.admin.deleteTopics(MISSING.map((name) => world.topic(name)));
    const services = await world.spawnAll();
    await sleep(4_000);
    for (const service of services) {
      if (service.hasExited()) throw new Error(`${service.name} ended`);
      const said = await readiness(service.adminUrl);
      if (service.name !== "ingest" && said?.isReady !== false)
        throw new Error(
          `${service.name} says ${JSON.stringify(said)} without its topics`,
        );
    }
    await createTopics(world.kafka, world.prefix, MISSING);
    await world.services.ready(...services);
    await world.publisher.publish({ perSecond: 300, seconds: 2 });
  },
};
