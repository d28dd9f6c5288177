import { setTimeout as sleep } from "node:timers/promises";
import type { FaultCase } from "../case.ts";
import { pause, resume, resumeIs } from "../control-api.ts";
import type { Behaviour } from "../endpoints.ts";
import type { World } from "../world.ts";

const PAUSED = ["healthy0", "flaky"] as const satisfies readonly Behaviour[];
/** Slow, so that the kills come while a resume is sending. */
const PER_SECOND = "60";

async function each(
  world: World,
  act: (world: World, behaviour: Behaviour) => Promise<void>,
): Promise<void> {
  await Promise.all(PAUSED.map((behaviour) => act(world, behaviour)));
}

/** A resume that a kill of control may have left in the middle. */
async function startControl(world: World): Promise<void> {
  const control = await world.services.spawn("control", {
    POSTRIDER_RESUME_RATE: PER_SECOND,
  });
  await world.services.ready(control);
}

export const pauseResume: FaultCase = {
  name: "pause-resume",
  isLong: true,
  proves:
    "what is parked while endpoints are paused is delivered once after their resumes, across kills of control and of the dispatcher, and a pause in the middle of a resume",
  async run(world, random) {
    await world.startAll();
    await startControl(world);
    for (let round = 0; round < (world.isShort ? 1 : 4); round++) {
      const load = world.publisher.publish({ perSecond: 300, seconds: 8 });
      await sleep(random.between(1_000, 2_000));
      await each(world, pause);
      await sleep(random.between(1_000, 2_000));
      await world.kill9(world.services.one("dispatcher"));
      await world.services.start("dispatcher");
      await sleep(random.between(1_000, 2_000));

      await each(world, resume);
      await resumeIs(world, "healthy0", "has sent", ({ sent }) => sent > 0);
      await sleep(random.between(0, 1_000));
      await world.kill9(world.services.one("control"));
      await startControl(world);
      await each(world, pause);
      await sleep(random.between(200, 700));
      // It wakes with the table as it was, and parks what it reads until it sees the resumes.
      const dispatcher = world.services.one("dispatcher");
      dispatcher.child.kill("SIGSTOP");
      await each(world, resume);
      await sleep(1_000);
      dispatcher.child.kill("SIGCONT");
      await sleep(random.between(500, 1_500));
      await world.kill9(world.services.one("dispatcher"));
      await world.services.start("dispatcher");
      await load;
      await each(world, (_, behaviour) =>
        resumeIs(world, behaviour, "done", ({ state }) => state === "done"),
      );
    }
    world.also(function* ({ deadLetters }) {
      if (!deadLetters.some(({ reason }) => reason === "paused"))
        yield "nothing was parked";
    });
  },
};
