/** Endpoints that are always well, at the sink, and neighbours of theirs, at the unruly sink, with a load for both. */
import type { Endpoint } from "@postrider/core";
import type { OutRecord } from "@postrider/messaging";
import { waitFor, type MisbehaviourName } from "@postrider/testkit";
import { arrivalOf, type Arrival } from "./arrival.ts";
import { checkedReport, seenAtOf } from "./checks.ts";
import type { BenchContext } from "./context.ts";
import { endpointAt, eventOf, eventRecord } from "./load.ts";
import { openLoop } from "./open-loop.ts";
import { BOTH_CORES } from "./processes.ts";
import { startUnrulySink, type UnrulySink } from "./sink.ts";
import { startWhole, type Whole } from "./whole.ts";

/** How long after the load the endpoints that are well may take to get everything, ms. */
const TAIL_MS = 20_000;

export interface Neighbours extends Whole {
  readonly unruly: UnrulySink;
  /** The endpoints that are always well, each at a port of the sink. */
  readonly wells: readonly Endpoint[];
  /** Endpoints at the ports of the unruly sink, anew for each pair of runs, so that no breaker remembers an earlier one. */
  readonly unrulySets: readonly (readonly Endpoint[])[];
}

/** Starts everything, with all endpoints. */
export async function startNeighbours(
  context: BenchContext,
  options: {
    readonly prefix: string;
    readonly wells: number;
    /** One port of the unruly sink, and one endpoint in each set, for each. */
    readonly misbehaviours: readonly MisbehaviourName[];
    readonly sets: number;
    /** Fields that replace those of the endpoints at the unruly sink. */
    readonly unrulyEndpoint?: Partial<Endpoint>;
  },
): Promise<Neighbours> {
  const { prefix, wells, misbehaviours, sets } = options;
  const unruly = await startUnrulySink(BOTH_CORES, misbehaviours);
  let count = 0;
  const unrulySets = Array.from({ length: sets }, () =>
    unruly.urls.map((url) => endpointAt(count++, url, options.unrulyEndpoint)),
  );
  const whole = await startWhole(context, {
    prefix,
    sinkArgs: [`--ports=${wells}`],
    endpointsOf: ({ urls }) => [
      ...unrulySets.flat(),
      ...urls.map((url) => endpointAt(count++, url)),
    ],
  });
  const atSink = whole.endpoints.slice(-wells);
  return { ...whole, unruly, wells: atSink, unrulySets };
}

/** A load, and who gets it. */
export interface Load {
  /** Part of the events' ids; another one for each run. */
  readonly name: string;
  readonly perSecond: number;
  readonly seconds: number;
  readonly endpointOf: (i: number) => Endpoint;
}

export function countOf(load: Pick<Load, "perSecond" | "seconds">): number {
  return load.perSecond * load.seconds;
}

export interface Sent {
  readonly load: Load;
  /** The time for which the first event was planned, monotonic µs. */
  readonly startedAt: number;
  /** The webhook-ids, in order. */
  readonly ids: readonly string[];
  /** Those of endpoints at the sink, and at the unruly sink. */
  readonly atSink: ReadonlySet<string>;
  readonly atUnruly: ReadonlySet<string>;
}

/** Sends the load, and waits until everything for the sink has come there, 20 s at most. */
export async function sendLoad(
  { say }: BenchContext,
  { sink, unruly, topics }: Neighbours,
  load: Load,
): Promise<Sent> {
  await sink.reset();
  await unruly.reset();
  const unrulyUrls = new Set(unruly.urls);
  const ids: string[] = [];
  const atSink = new Set<string>();
  const atUnruly = new Set<string>();
  const recordOf = (i: number): OutRecord => {
    const endpoint = load.endpointOf(i);
    const event = eventOf(load.name, i, [endpoint]);
    ids.push(event.webhookId);
    (unrulyUrls.has(endpoint.url) ? atUnruly : atSink).add(event.webhookId);
    return eventRecord(event);
  };
  const startedAt = await openLoop({
    perSecond: load.perSecond,
    count: countOf(load),
    send: (from, to) =>
      topics.output.send(
        Array.from({ length: to - from }, (_, i) => recordOf(from + i)),
      ),
  });
  const isAll = async () => (await sink.count()).unique >= atSink.size;
  await waitFor(isAll, { timeoutMs: TAIL_MS }).catch(() =>
    say(`${load.name}: not all have come within ${TAIL_MS / 1000} s`),
  );
  return { load, startedAt, ids, atSink, atUnruly };
}

/** How the events that count came. Throws when an endpoint at the sink did not get each event once. Call it when nothing is on its way to the sink any more. */
export async function arrivalAtSink(
  { sink }: Neighbours,
  sent: Sent,
  ...counts: readonly ((i: number) => boolean)[]
): Promise<Arrival[]> {
  const seen = seenAtOf(await checkedReport(sink, sent.atSink));
  return counts.map((isCounted) =>
    arrivalOf({
      perSecond: sent.load.perSecond,
      tailMs: TAIL_MS,
      startedAt: sent.startedAt,
      seenAt: sent.ids.map((id, i) => (isCounted(i) ? seen.get(id)! : null)),
    }),
  );
}
