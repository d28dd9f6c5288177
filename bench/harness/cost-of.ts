/** What a delivery of a load has cost, and the names of its figures. */
import type { Figures } from "./context.ts";
import { intendedMicros } from "./open-loop.ts";
import { percentile } from "./statistics.ts";
import type { Usage } from "./usage.ts";
import { camelCase, named } from "./whole.ts";

/** Processes whose CPU the load or the measurement itself needs. */
const NOT_COUNTED = "sink";
const STORES = ["kafka", "clickhouse"];

export interface Arrivals {
  readonly perSecond: number;
  /** The time for which the first event was planned, µs. */
  readonly startedAt: number;
  /** When the first byte of each event's request came, in the order of the events, µs. */
  readonly seenAt: readonly number[];
}

export interface Cost {
  readonly usage: Usage;
  /** CPU µs per delivery, by process. */
  readonly micros: ReadonlyMap<string, number>;
  readonly ourMicros: number;
  /** Our services, Kafka and ClickHouse. */
  readonly allMicros: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** CPU ÷ the requests that came in the stretch that was measured, and the latency of the events that were planned for it. */
export function costOf(usage: Usage, arrivals: Arrivals): Cost {
  const { fromMicros, toMicros, cpuSeconds } = usage;
  const { perSecond, startedAt, seenAt } = arrivals;
  const isWithin = (at: number): boolean => at >= fromMicros && at < toMicros;
  const deliveries = seenAt.filter(isWithin).length;
  const latencies = seenAt.flatMap((at, i) => {
    const planned = intendedMicros(startedAt, perSecond, i);
    return isWithin(planned) ? [(at - planned) / 1000] : [];
  });
  const micros = new Map(
    [...cpuSeconds].map(([name, cpu]) => [name, (cpu * 1e6) / deliveries]),
  );
  return {
    usage,
    micros,
    ourMicros: sumOf(micros, isOurs),
    allMicros: sumOf(micros, (name) => name !== NOT_COUNTED),
    p50Ms: percentile(latencies, 50),
    p99Ms: percentile(latencies, 99),
  };
}

export function ourMb({ residentMb }: Usage): number {
  return sumOf(residentMb, isOurs);
}

function isOurs(name: string): boolean {
  return name !== NOT_COUNTED && !STORES.includes(name);
}

function sumOf(
  values: ReadonlyMap<string, number>,
  isCounted: (name: string) => boolean,
): number {
  let sum = 0;
  for (const [name, value] of values) if (isCounted(name)) sum += value;
  return sum;
}

/** `prefix` begins each name. */
export function loadFigures(prefix: string, cost: Cost): Figures {
  const { usage, micros, ourMicros, allMicros, p50Ms, p99Ms } = cost;
  return named(prefix, {
    p50Ms,
    p99Ms,
    allCpuMicros: allMicros,
    ourCpuMicros: ourMicros,
    ...byProcess(micros, "CpuMicros"),
    ...rateFigures(usage),
    ourMb: ourMb(usage),
  });
}

/** CPU in ms a second. */
export function idleFigures(prefix: string, usage: Usage): Figures {
  const seconds = (usage.toMicros - usage.fromMicros) / 1e6;
  const cpuMs = new Map(
    [...usage.cpuSeconds].map(([name, cpu]) => [name, (cpu * 1000) / seconds]),
  );
  return named(prefix, {
    ourCpuMsPerSecond: sumOf(cpuMs, isOurs),
    ...byProcess(cpuMs, "CpuMsPerSecond"),
    ...rateFigures(usage),
    ourMb: ourMb(usage),
    ...byProcess(usage.residentMb, "Mb"),
  });
}

function byProcess(
  values: ReadonlyMap<string, number>,
  suffix: string,
): Figures {
  return Object.fromEntries(
    [...values]
      .filter(([name]) => name !== NOT_COUNTED)
      .map(([name, value]) => [`${camelCase(name)}${suffix}`, value]),
  );
}

function rateFigures({ perSecond }: Usage): Figures {
  return {
    producesPerSecond: perSecond.produce - perSecond.ownProduces,
    fetchesPerSecond: perSecond.fetch,
    offsetCommitsPerSecond: perSecond.offsetCommit,
    otherRequestsPerSecond: perSecond.other,
    insertsPerSecond: perSecond.inserts,
    partsPerSecond: perSecond.parts,
    mergesPerSecond: perSecond.merges,
  };
}
