import { setTimeout as sleep } from "node:timers/promises";
import type { Evidence } from "@postrider/testkit";
import type { FaultCase } from "../case.ts";
import type { World } from "../world.ts";

/** Records of a partition among which a repeat is recognised. */
const WINDOW_RECORDS = 400;
const PER_SECOND = 400;
/** Events between an event and its repeat. With the repeats between them these are up to twice as many records, of which each of two partitions has half. */
const WITHIN = 200;
const BEYOND = 1_200;

export const duplicates: FaultCase = {
  name: "duplicates",
  proves:
    "each event published twice within the duplicate window is routed once, whichever of two route processes is killed or joins in between; beyond the window it is routed again",
  async run(world, random) {
    const env = { POSTRIDER_DUPLICATE_WINDOW_RECORDS: String(WINDOW_RECORDS) };
    await world.startAll({ ingest: env });
    const another = async (): Promise<void> =>
      await world.services.ready(await world.services.spawn("ingest", env));
    await another();
    const kills = world.isShort ? 1 : 6;
    const load = publishTwice(world, kills * 4, WITHIN);
    for (let kill = 0; kill < kills; kill++) {
      await sleep(random.between(500, 2_000));
      await world.kill9(world.services.all("ingest")[random.between(0, 1)]!);
      await another();
    }
    await load;
    await world.quiet();
    const within = world.publisher.count() / 2;
    await publishTwice(world, Math.ceil((2 * BEYOND) / PER_SECOND), BEYOND);
    world.also((evidence) => routedOnce(evidence, within));
    world.also((evidence) => routedTwice(evidence, within));
  },
};

async function publishTwice(
  world: World,
  seconds: number,
  againAfter: number,
): Promise<void> {
  await world.publisher.publish({
    perSecond: PER_SECOND,
    seconds,
    againAfter,
    rare: { dead: 0, blackhole: 0 },
  });
}

/** The places in the log at which each event was routed. A record that was read again after a kill has the same place. */
function routedAt({ intake }: Evidence): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const one of intake) {
    const { eventId, sourcePartition, sourceOffset } = one;
    if (one.decision !== "routed" || eventId === null) continue;
    const places = found.get(eventId) ?? new Set();
    found.set(eventId, places.add(`${sourcePartition}@${sourceOffset}`));
  }
  return found;
}

function numberOf(eventId: string): number {
  return Number(eventId.slice("e_".length));
}

function* routedOnce(evidence: Evidence, within: number): Iterable<string> {
  for (const [eventId, places] of routedAt(evidence))
    if (numberOf(eventId) < within && places.size > 1)
      yield `${eventId} was routed at ${[...places].join(" and ")}`;
  const repeats = evidence.intake.filter(
    ({ decision }) => decision === "duplicate",
  );
  if (repeats.length < within)
    yield `only ${repeats.length} of ${within} repeats were recognised`;
}

/** Otherwise the window was larger than it should be, and the first part proved nothing about its bounds. */
function* routedTwice(evidence: Evidence, within: number): Iterable<string> {
  for (const [eventId, places] of routedAt(evidence))
    if (numberOf(eventId) >= within && places.size !== 2)
      yield `${eventId}, published again beyond the window, was routed ${places.size} times`;
}
