/** What a case asks of the living control, as a person would over its API. */
import { setTimeout as sleep } from "node:timers/promises";
import { waitFor } from "@postrider/testkit";
import { endpointIdOf, type Behaviour } from "./endpoints.ts";
import type { World } from "./world.ts";

interface ResumeAnswer {
  readonly state: string;
  readonly read: number;
  readonly sent: number;
}

/** Asks again until control is the owner and has done it: each of these requests may be repeated. */
async function ask<T>(
  world: World,
  method: string,
  behaviour: Behaviour,
  route: string,
): Promise<T> {
  for (const end = performance.now() + 60_000; ;) {
    try {
      const { url } = world.services.one("control");
      const answer = await fetch(
        `${url}/v1/endpoints/${endpointIdOf(behaviour)}/${route}`,
        { method, headers: { authorization: "Bearer admin" } },
      );
      if (answer.ok) return (await answer.json()) as T;
      if (answer.status !== 503)
        throw new Error(`${method} ${route}: ${await answer.text()}`);
    } catch (error) {
      if (performance.now() >= end) throw error;
    }
    if (performance.now() >= end)
      throw new Error(`${method} ${route} of ${behaviour}: 503 for a minute`);
    await sleep(100);
  }
}

export async function pause(world: World, behaviour: Behaviour): Promise<void> {
  await ask(world, "POST", behaviour, "pause");
}

export async function resume(
  world: World,
  behaviour: Behaviour,
): Promise<void> {
  await ask(world, "POST", behaviour, "resume");
}

/** Waits until the endpoint's resume has this property. */
export async function resumeIs(
  world: World,
  behaviour: Behaviour,
  what: string,
  is: (resume: ResumeAnswer) => boolean,
): Promise<void> {
  await waitFor(
    async () => is(await ask<ResumeAnswer>(world, "GET", behaviour, "resume")),
    {
      timeoutMs: 120_000,
      everyMs: 50,
      what: `the resume of ${behaviour}: ${what}`,
    },
  );
}
