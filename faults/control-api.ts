/** What a case asks of the living control, as a person would over its API. */
import { setTimeout as sleep } from "node:timers/promises";
import { waitFor } from "@postrider/testkit";
import { endpointIdOf, TENANT, type Behaviour } from "./endpoints.ts";
import type { World } from "./world.ts";

interface ResumeAnswer {
  readonly state: string;
  readonly read: number;
  readonly sent: number;
}

const PATIENCE_MS = 60_000;
/** Longer than control waits for a write. A control that is frozen, or that waits for Kafka, must not hold the case up. */
const ANSWER_WITHIN_MS = 15_000;

/** Asks again until control is the owner and has done it: each of these requests may be repeated. */
export async function ask<T>(
  world: World,
  method: string,
  path: string,
  body?: object,
): Promise<T> {
  const what = `${method} ${path}`;
  for (const end = performance.now() + PATIENCE_MS; ;) {
    try {
      const { url } = world.services.one("control");
      const answer = await fetch(`${url}/v1${path}`, {
        method,
        headers: {
          authorization: "Bearer admin",
          "if-match": "*",
          ...(body !== undefined && { "content-type": "application/json" }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      });
      if (answer.ok) return (await answer.json()) as T;
      if (answer.status !== 503)
        throw new Error(`${what}: ${await answer.text()}`);
    } catch (error) {
      if (performance.now() >= end) throw error;
    }
    if (performance.now() >= end) throw new Error(`${what}: 503 for a minute`);
    await sleep(100);
  }
}

export interface CreatedEndpoint {
  readonly id: string;
  readonly secret: string;
}

/** Creates an endpoint at this path of the receiver. By default no event of a case is for it. */
export async function createEndpoint(
  world: World,
  { path = "", eventTypes = ["none.*"] } = {},
): Promise<CreatedEndpoint> {
  return await ask(world, "POST", "/endpoints", {
    tenantId: TENANT,
    url: `${world.receiver.url}${path}`,
    eventTypes,
  });
}

/** Gives the endpoint a new secret, or two if the answer to the first request was lost. */
export async function rotateSecret(
  world: World,
  behaviour: Behaviour,
  overlapMs: number,
): Promise<void> {
  const path = `/endpoints/${endpointIdOf(behaviour)}/rotate-secret`;
  await ask(world, "POST", path, { overlapMs });
}

export async function pause(world: World, behaviour: Behaviour): Promise<void> {
  await ask(world, "POST", `/endpoints/${endpointIdOf(behaviour)}/pause`);
}

export async function resume(
  world: World,
  behaviour: Behaviour,
): Promise<void> {
  await ask(world, "POST", `/endpoints/${endpointIdOf(behaviour)}/resume`);
}

/** Waits until control has disabled these endpoints. */
export async function disabled(
  world: World,
  behaviours: readonly Behaviour[],
): Promise<void> {
  for (const behaviour of behaviours) {
    const path = `/endpoints/${endpointIdOf(behaviour)}`;
    const isDisabled = async () =>
      (await ask<{ state: string }>(world, "GET", path)).state === "disabled";
    await waitFor(isDisabled, { everyMs: 100, what: `${path}: disabled` });
  }
}

/** Waits until the endpoint's resume has this property. */
export async function resumeIs(
  world: World,
  behaviour: Behaviour,
  what: string,
  is: (resume: ResumeAnswer) => boolean,
): Promise<void> {
  const path = `/endpoints/${endpointIdOf(behaviour)}/resume`;
  await waitFor(async () => is(await ask<ResumeAnswer>(world, "GET", path)), {
    timeoutMs: 120_000,
    everyMs: 50,
    what: `the resume of ${behaviour}: ${what}`,
  });
}
