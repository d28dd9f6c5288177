/** How the traffic to other endpoints comes while a replay runs, and while none does. */
import type { Endpoint } from "@postrider/core";
import { checkedReport, seenAtOf } from "./checks.ts";
import { eventOf, eventRecord } from "./load.ts";
import { intendedMicros, openLoop } from "./open-loop.ts";
import { redrive, untilDone, type GivenUp } from "./redrives.ts";
import { percentile, rounded } from "./statistics.ts";
import { checkLags } from "./steady-rate.ts";
import type { Whole } from "./whole.ts";

export interface OtherLoad {
  /** Part of the events' ids; another one for each load. */
  readonly name: string;
  readonly perSecond: number;
  readonly seconds: number;
  /** The beginning, which is not counted. */
  readonly warmUpSeconds: number;
  readonly endpoints: readonly Endpoint[];
}

export interface Beside {
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Events that counted. */
  readonly counted: number;
}

/** The load alone. */
export async function without(whole: Whole, load: OtherLoad): Promise<Beside> {
  await whole.sink.reset();
  return await arrived(whole, load, await send(whole, load), new Set());
}

/** The load while all of these are redriven. Counted are events that were planned while redriven deliveries came. */
export async function beside(
  whole: Whole,
  load: OtherLoad,
  replayed: { readonly givenUp: GivenUp; readonly ratePerSecond?: number },
): Promise<Beside> {
  const { sink } = whole;
  const { givenUp, ratePerSecond } = replayed;
  await sink.reset();
  const replay = await redrive(whole, givenUp, ratePerSecond);
  await sink.waitForUnique(1, 60_000);
  const sent = await send(whole, load);
  await untilDone(whole, replay, givenUp.ids.size);
  return await arrived(whole, load, sent, givenUp.ids);
}

interface Sent {
  readonly startedAt: number;
  readonly ids: readonly string[];
}

async function send(
  { topics }: Whole,
  { name, perSecond, seconds, endpoints }: OtherLoad,
): Promise<Sent> {
  const ids: string[] = [];
  const startedAt = await openLoop({
    perSecond,
    count: perSecond * seconds,
    send: (from, to) =>
      topics.output.send(
        Array.from({ length: to - from }, (_, i) => {
          const event = eventOf(name, from + i, endpoints);
          ids.push(event.webhookId);
          return eventRecord(event);
        }),
      ),
  });
  return { startedAt, ids };
}

async function arrived(
  { sink, topics }: Whole,
  { perSecond, warmUpSeconds }: OtherLoad,
  { startedAt, ids }: Sent,
  redriven: ReadonlySet<string>,
): Promise<Beside> {
  const all = new Set([...ids, ...redriven]);
  await sink.waitForUnique(all.size, 60_000);
  await checkLags(topics);
  const seen = seenAtOf(await checkedReport(sink, all));
  let replayEndsAt = redriven.size === 0 ? Infinity : 0;
  for (const id of redriven)
    replayEndsAt = Math.max(replayEndsAt, seen.get(id)!);
  const ms: number[] = [];
  for (const [i, id] of ids.entries()) {
    const plannedAt = intendedMicros(startedAt, perSecond, i);
    if (i < warmUpSeconds * perSecond || plannedAt > replayEndsAt) continue;
    ms.push((seen.get(id)! - plannedAt) / 1000);
  }
  return {
    p50Ms: rounded(percentile(ms, 50)),
    p99Ms: rounded(percentile(ms, 99)),
    counted: ms.length,
  };
}
