import type { FaultCase } from "../case.ts";

export const sameSecond: FaultCase = {
  name: "same-second",
  proves:
    "deliveries that are all due in the same second leave in one burst: none early, none lost, none twice",
  isLong: true,
  async run(world) {
    await world.startAll();
    const perSecond = world.isShort ? 2_000 : 10_000;
    const seconds = world.isShort ? 1 : 10;
    const dueAt = Date.now() + seconds * 2_000 + 3_000;
    await world.publisher.publish({ perSecond, seconds, notBefore: dueAt });
    world.also(({ attempts }) =>
      attempts
        .filter(
          ({ startedAt, attemptNumber }) =>
            attemptNumber > 0 && startedAt < dueAt,
        )
        .slice(0, 3)
        .map(
          ({ webhookId, startedAt }) =>
            `${webhookId} started ${dueAt - startedAt} ms before it was due`,
        ),
    );
  },
};
