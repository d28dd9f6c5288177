import type { EpochMs } from "@postrider/core";
import type { Evidence } from "@postrider/testkit";
import type { FaultCase } from "../case.ts";
import { disabled } from "../control-api.ts";
import { endpointIdOf, GONE, TENANT } from "../endpoints.ts";
import {
  wronglyCounted,
  wronglyRecorded,
  wronglySent,
  type Owed,
} from "../judge-replay.ts";
import {
  disturbedReplay,
  isDone,
  makeReplay,
  replayIs,
  type MadeReplay,
} from "../replays.ts";
import type { World } from "../world.ts";

/** Each round of faults takes some twelve seconds, in which a replay sends so many. More than a page of a replay holds. */
const PER_ROUND = 640;

export const replay: FaultCase = {
  name: "replay",
  proves:
    "a redrive sends each selected delivery and no other across kills of control, dispatcher, retry-scheduler, recorder and ClickHouse, also what is refused once more and retried, and an overlapping one sends nothing more",
  async run(world, random) {
    await world.startAll();
    await world.services.start("control");
    const rounds = world.isShort ? 1 : 3;
    const since = await exhaust(world, rounds * PER_ROUND);
    world.mood.dead = 200;
    world.mood.deadRefuseSome = true;
    const requestsBefore = world.receiver.requests.length;

    const load = world.publisher.publish({
      perSecond: 50,
      seconds: rounds * 15,
      rare: { blackhole: 0 },
    });
    const selection = {
      tenantId: TENANT,
      eventTypes: ["load.*"],
      receivedSince: since,
      why: "the receiver was down",
    };
    const { made, done } = await disturbedReplay(world, random, {
      selection,
      rounds,
    });
    const again = await makeReplay(world, selection);
    const doneAgain = await replayIs(world, again, "done", isDone);
    await load;

    await world.quiet();
    const replays = [done, doneAgain] as const;
    const problems = await wronglyRecorded(world, replays, GONE.length);
    world.also(function* (evidence) {
      yield* problems;
      const owed = owedOf(evidence, { made, since, requestsBefore });
      if (owed.retried === 0) yield "no redriven delivery was retried";
      yield* wronglySent(evidence, owed, made.id);
      yield* wronglyCounted(owed, replays);
    });
    world.tells((evidence) => ({
      replayed: done.sent,
      retried: retriedOf(evidence, made).size,
    }));
  },
};

/** Lets deliveries expire, all but the first few of them since the time that it returns; one is of each endpoint that is disabled then. */
async function exhaust(world: World, count: number): Promise<EpochMs> {
  const { publisher } = world;
  await publisher.publish({ perSecond: 100, seconds: 1, only: "dead" });
  await world.quiet();
  const since = Date.now();
  await publisher.publish({
    perSecond: count / 2,
    seconds: 2,
    only: "dead",
  });
  for (const only of GONE)
    await publisher.publish({ perSecond: 100, seconds: 0.01, only });
  await world.quiet();
  await disabled(world, GONE);
  return since;
}

/** The replay's deliveries that were refused once more. */
function retriedOf(
  { attempts }: Evidence,
  { id }: MadeReplay,
): ReadonlySet<string> {
  const retries = attempts.filter(
    (one) => one.replayId === id && one.attemptNumber > 1,
  );
  return new Set(retries.map(({ deliveryId }) => deliveryId));
}

/** The replay as the log has it: what was dead by then is selected, if it was received since. */
function owedOf(
  evidence: Evidence,
  of: {
    readonly made: MadeReplay;
    readonly since: EpochMs;
    readonly requestsBefore: number;
  },
): Owed {
  const gone = new Set(GONE.map(endpointIdOf));
  const selected = new Set<string>();
  const foreign = new Set<string>();
  for (const { delivery, endpointId, deadAt } of evidence.deadLetters) {
    if (delivery === null || endpointId === null) continue;
    const isSelected =
      delivery.receivedAt >= of.since && deadAt <= of.made.selectedAt;
    const isSent = isSelected && !gone.has(endpointId);
    (isSent ? selected : foreign).add(delivery.webhookId);
  }
  return {
    selected,
    foreign,
    retried: retriedOf(evidence, of.made).size,
    leftOut: { endpoint_disabled: GONE.length },
    requestsBefore: of.requestsBefore,
  };
}
