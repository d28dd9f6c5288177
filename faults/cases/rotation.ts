import { setTimeout as sleep } from "node:timers/promises";
import type { EpochMs } from "@postrider/core";
import { waitFor, type ReceivedRequest } from "@postrider/testkit";
import type { FaultCase } from "../case.ts";
import { rotateSecret } from "../control-api.ts";
import { judgeSigners } from "../judge-signers.ts";
import type { World } from "../world.ts";
import type { Behaviour } from "../endpoints.ts";

const ROTATED = ["flaky", "healthy0"] as const satisfies readonly Behaviour[];
export const rotation: FaultCase = {
  name: "rotation",
  isLong: true,
  proves:
    "each attempt, retries too, is signed by the secrets that are valid when it is sent, and no other, across rotations with and without overlap and kills of control and dispatcher",
  async run(world, random) {
    // Which secrets a request must be signed by is judged at the end, from the log.
    const { isSigned } = world;
    world.isSigned = (request) => isRotated(request) || isSigned(request);
    const dispatchers: EpochMs[] = [];
    const startDispatcher = async (): Promise<void> => {
      dispatchers.push(Date.now());
      await world.services.start("dispatcher");
    };
    dispatchers.push(Date.now());
    await world.startAll();
    await world.services.start("control");
    const rotate = async (round: number): Promise<void> => {
      const overlapMs = round % 2 === 0 ? random.between(5_000, 8_000) : 0;
      await sleep(random.between(1_000, 2_000));
      const rotated = Promise.all(
        ROTATED.map((behaviour) => rotateSecret(world, behaviour, overlapMs)),
      );
      rotated.catch(() => undefined); // thrown below
      // Before, while or after the new secret is written.
      await sleep(random.between(0, 300));
      await world.kill9(world.services.one("control"));
      // The new dispatcher starts with the new secret, the old one learns of it: by turns.
      const isKilledFirst = round % 4 >= 2;
      if (isKilledFirst) await world.kill9(world.services.one("dispatcher"));
      await world.services.start("control");
      await rotated;
      if (!isKilledFirst) {
        // At least once a retry must be seen that both secrets sign; a dispatcher may take longer to start than they overlap.
        if (round === 0)
          await waitFor(() => hasJoinedRetry(world), {
            what: "a retry that is signed by both secrets",
          });
        await sleep(random.between(0, 1_000));
        await world.kill9(world.services.one("dispatcher"));
      }
      await startDispatcher();
      await sleep(overlapMs + 1_000);
    };
    // Black holes open their breaker, for longer each time, and would be what everything waits for.
    const rare = { blackhole: 0 };
    for (let round = 0; round < (world.isShort ? 2 : 6); round++) {
      let isOver = false;
      const rotated = rotate(round).finally(() => (isOver = true));
      rotated.catch(() => undefined); // thrown below
      while (!isOver)
        await world.publisher.publish({ perSecond: 150, seconds: 2, rare });
      await rotated;
      await world.quiet();
    }
    const problems: string[] = [];
    for (const behaviour of ROTATED) {
      const found = await judgeSigners(world, behaviour, dispatchers);
      problems.push(...found.problems);
      const { joined, replaced } = found;
      // A healthy endpoint has few retries.
      if (behaviour === "flaky" && (joined === 0 || replaced === 0))
        problems.push(
          `no delivery waited while its secret was rotated: ${joined} with an overlap, ${replaced} without`,
        );
    }
    world.also(() => problems);
  },
};

/** Whether a delivery had an attempt with one signature, and then one with more. */
function hasJoinedRetry({ receiver }: World): boolean {
  const signedOnce = new Set<string | undefined>();
  return receiver.requests.some(({ path, headers }) => {
    if (path !== "/flaky") return false;
    const id = headers["webhook-id"];
    if (headers["webhook-signature"]?.includes(" ")) return signedOnce.has(id);
    signedOnce.add(id);
    return false;
  });
}

function isRotated({ path }: ReceivedRequest): boolean {
  return ROTATED.some((behaviour) => path === `/${behaviour}`);
}
