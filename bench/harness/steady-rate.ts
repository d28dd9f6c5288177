/** The full rate of the whole system, which benches compare with in their own run. */
import { DEFAULT_TIERS, parseTiers } from "@postrider/core";
import { checkedReport, checkLag } from "./checks.ts";
import { cpuSecondsByName } from "./proc-stat.ts";
import type { Sink } from "./sink.ts";
import type { Topics } from "./stack.ts";
import { GROUPS, pidsOf, preloadEvents, type Whole } from "./whole.ts";

export interface Arrivals {
  readonly perSecond: number;
  /** CPU time for each request that came (µs), by process. */
  readonly cpuMicros: ReadonlyMap<string, number>;
}

/** While all is well: of the load's events, which are written while ingest stands still. */
export async function steadyRate(
  whole: Whole,
  load: {
    readonly run: string;
    readonly count: number;
    readonly payload?: Buffer;
  },
): Promise<Arrivals> {
  const { count } = load;
  const ids = await preloadEvents(whole, load);
  const arrivals = await arrivalsOf(whole.sink, pidsOf(whole), count);
  await checkLags(whole.topics);
  await checkedReport(whole.sink, ids);
  return arrivals;
}

/** Measures from a tenth of the ids at the sink to nine tenths; resolves once `count` have come. Throws when none comes for `timeoutMs`. */
export async function arrivalsOf(
  sink: Sink,
  pids: ReadonlyMap<string, number>,
  ...[count, timeoutMs]: readonly [count: number, timeoutMs?: number]
): Promise<Arrivals> {
  const at = async (share: number) => {
    const { unique } = await sink.waitForUnique(count * share, timeoutMs);
    return { unique, now: performance.now(), cpu: cpuSecondsByName(pids) };
  };
  const from = await at(0.1);
  const to = await at(0.9);
  await sink.waitForUnique(count, timeoutMs);
  const came = to.unique - from.unique;
  return {
    perSecond: (came * 1000) / (to.now - from.now),
    cpuMicros: new Map(
      [...to.cpu].map(([name, cpu]) => [
        name,
        ((cpu - from.cpu.get(name)!) * 1e6) / came,
      ]),
    ),
  };
}

/** Waits until every group, also those of the tiers, has read and committed everything. */
export async function checkLags(topics: Topics): Promise<void> {
  for (const { topic } of parseTiers(DEFAULT_TIERS))
    await checkLag(topics, "retry-scheduler", topic);
  for (const [group, topic] of GROUPS)
    await checkLag(topics, group, topic, 60_000);
}
