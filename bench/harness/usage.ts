/** What all processes use in a stretch of time: CPU, memory, requests at the broker, inserts and parts at ClickHouse. */
import { setTimeout as sleep } from "node:timers/promises";
import type { BrokerRequests, RequestCounter } from "./broker-requests.ts";
import { nowMicros } from "./open-loop.ts";
import { cpuSecondsByName, residentMbOf } from "./proc-stat.ts";
import { storeCounts, type StoreCounts } from "./store-counts.ts";
import { pidsOf, type Whole } from "./whole.ts";

export interface Usage {
  /** The stretch for which CPU was measured, on the machine's monotonic clock, µs. */
  readonly fromMicros: number;
  readonly toMicros: number;
  /** By process, with Kafka, ClickHouse and the sink. */
  readonly cpuSeconds: ReadonlyMap<string, number>;
  /** By process: the most that it had, in millions of bytes; one look a second. */
  readonly residentMb: ReadonlyMap<string, number>;
  readonly perSecond: Readonly<Record<Kind, number>>;
}

/** `ownProduces`: requests that the load sent to the broker itself. */
type Counts = BrokerRequests & StoreCounts & { readonly ownProduces: number };
type Kind = keyof Counts;

export interface Observed {
  readonly whole: Whole;
  readonly requests: RequestCounter;
  /** How many requests the load has sent to the broker itself. */
  readonly ownProduces: () => number;
}

export async function usageOf(
  observed: Observed,
  seconds: number,
): Promise<Usage> {
  const pids = pidsOf(observed.whole);
  // Asking costs the servers CPU, so they are asked before and after the stretch.
  const first = await countsNow(observed);
  const before = cpuSecondsByName(pids);
  const fromMicros = nowMicros();
  const residentMb = await mostMemory(pids, fromMicros + seconds * 1e6);
  const after = cpuSecondsByName(pids);
  const toMicros = nowMicros();
  const last = await countsNow(observed);
  return {
    fromMicros,
    toMicros,
    residentMb,
    cpuSeconds: new Map(
      [...after].map(([name, cpu]) => [name, cpu - before.get(name)!]),
    ),
    perSecond: ratesOf(first, last),
  };
}

interface CountsAt {
  readonly atMicros: number;
  readonly counts: Counts;
}

async function countsNow(observed: Observed): Promise<CountsAt> {
  const [broker, store] = await Promise.all([
    observed.requests.read(),
    storeCounts(observed.whole.stack),
  ]);
  const ownProduces = observed.ownProduces();
  const counts = { ...broker, ...store, ownProduces };
  return { atMicros: nowMicros(), counts };
}

function ratesOf(first: CountsAt, last: CountsAt): Record<Kind, number> {
  const seconds = (last.atMicros - first.atMicros) / 1e6;
  const rates = { ...last.counts };
  for (const kind of Object.keys(rates) as Kind[])
    rates[kind] = (last.counts[kind] - first.counts[kind]) / seconds;
  return rates;
}

const LOOK_EVERY_MS = 1_000;

async function mostMemory(
  pids: ReadonlyMap<string, number>,
  untilMicros: number,
): Promise<Map<string, number>> {
  const most = new Map<string, number>();
  for (;;) {
    for (const [name, pid] of pids)
      most.set(name, Math.max(most.get(name) ?? 0, residentMbOf(pid)));
    const leftMs = (untilMicros - nowMicros()) / 1000;
    if (leftMs <= 0) return most;
    await sleep(Math.min(leftMs, LOOK_EVERY_MS));
  }
}
