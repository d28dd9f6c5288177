import { webhookIdOf, type EpochMs } from "@postrider/core";
import { sha256Text } from "@postrider/runtime";
import { verify } from "@postrider/signing";
import type { Evidence } from "@postrider/testkit";
import type { FaultCase } from "../case.ts";
import { createEndpoint } from "../control-api.ts";
import { TENANT } from "../endpoints.ts";
import {
  wronglyCounted,
  wronglyRecorded,
  wronglySent,
  type Owed,
} from "../judge-replay.ts";
import { disturbedReplay, isDone, makeReplay, replayIs } from "../replays.ts";
import type { World } from "../world.ts";

/** Enough for the faults to come while it sends. */
const EVENTS = 480;
/** Events of after its creation, which the backfill selects, too. Those that were routed to the endpoint are left out. */
const ROUTED = 30;

export const backfill: FaultCase = {
  name: "backfill",
  isLong: true,
  proves:
    "a backfill sends a new endpoint each event of before its creation and no other, across the same kills as in `replay`, and an overlapping one sends nothing more",
  async run(world, random) {
    await world.startAll();
    await world.services.start("control");
    await publish(world, 50);
    const since = Date.now();
    await publish(world, EVENTS);
    const endpointId = await newEndpoint(world);
    await publish(world, ROUTED);
    const until = Date.now();
    const requestsBefore = world.receiver.requests.length;

    const load = world.publisher.publish({
      perSecond: 50,
      seconds: 15,
      rare: { blackhole: 0 },
    });
    const selection = {
      kind: "backfill",
      endpointId,
      receivedSince: since,
      receivedUntil: until,
      why: "a new receiver",
    };
    const { made, done } = await disturbedReplay(world, random, {
      selection,
      rounds: 1,
    });
    const again = await makeReplay(world, selection);
    const doneAgain = await replayIs(world, again, "done", isDone);
    await load;

    await world.quiet();
    const replays = [done, doneAgain] as const;
    const problems = await wronglyRecorded(world, replays, 0);
    world.also(function* (evidence) {
      yield* problems;
      const owed = owedOf(evidence, {
        endpointId,
        since,
        until,
        requestsBefore,
      });
      if (owed.selected.size < EVENTS)
        yield `${owed.selected.size} of ${EVENTS} events are selected`;
      yield* wronglySent(evidence, owed, made.id);
      yield* wronglyCounted(owed, replays);
    });
    world.tells(() => ({ replayed: done.sent }));
  },
};

/** Events of the endpoint's type, and as many that it does not want. */
async function publish(world: World, count: number): Promise<void> {
  for (const only of ["healthy0", "healthy1"] as const)
    await world.publisher.publish({ perSecond: count, seconds: 1, only });
  await world.quiet();
}

/** An endpoint with a path and a secret of its own. */
async function newEndpoint(world: World): Promise<string> {
  const path = "/backfilled";
  const eventTypes = ["load.healthy0"];
  const { isSigned } = world;
  const { id, secret } = await createEndpoint(world, { path, eventTypes });
  world.isSigned = (request) =>
    request.path === path
      ? verify({ ...request, secrets: [secret] }).ok
      : isSigned(request);
  return id;
}

/** The backfill as the log has it: the events of those times, of which some were routed to the endpoint. */
function owedOf(
  { intake }: Evidence,
  of: {
    readonly endpointId: string;
    readonly since: EpochMs;
    readonly until: EpochMs;
    readonly requestsBefore: number;
  },
): Owed {
  const { endpointId, requestsBefore } = of;
  const selected = new Set<string>();
  const foreign = new Set<string>();
  let delivered = 0;
  for (const { eventId, eventType, receivedAt, deliveries } of intake) {
    if (eventId === null || receivedAt >= of.until) continue;
    const id = webhookIdOf(sha256Text, {
      tenantId: TENANT,
      eventId,
      endpointId,
    });
    if (eventType !== "load.healthy0" || receivedAt < of.since) foreign.add(id);
    else if (deliveries.some((one) => one.endpointId === endpointId))
      delivered += 1;
    else selected.add(id);
  }
  return {
    selected,
    foreign,
    retried: 0,
    leftOut: { delivered },
    requestsBefore,
  };
}
