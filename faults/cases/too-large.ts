import type { FaultCase } from "../case.ts";

/** The limit is smaller than about half of the deliveries. */
const LIMIT_BYTES = 900;

export const tooLarge: FaultCase = {
  name: "too-large",
  proves:
    "records that one partition refuses for their size become dead letters, and cost the others of their batch nothing",
  async run(world) {
    await world.admin.alterTopicConfig(world.topic("retry.200ms"), {
      "max.message.bytes": String(LIMIT_BYTES),
    });
    await world.startAll();
    await world.publisher.publish({ perSecond: 300, seconds: 4 });
    world.also(function* ({ deadLetters, attempts }) {
      const refused = deadLetters.filter(
        ({ reason }) => reason === "too_large",
      );
      if (refused.length === 0) yield "no retry was refused";
      const retried = attempts.some(
        ({ eventType, attemptNumber }) =>
          eventType === "load.flaky" && attemptNumber > 1,
      );
      if (!retried) yield "no retry was small enough";
    });
  },
};
