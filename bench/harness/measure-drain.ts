/** Measures how a loop or a service empties what was preloaded, without its start and its tail. */
import { cpuSecondsOf } from "./proc-stat.ts";
import type { Sink } from "./sink.ts";

export interface Drained {
  /** Requests per CPU second of the measured process. */
  readonly perCpuSecond: number;
  readonly perSecond: number;
  /** The share of one core that the sink used. */
  readonly sinkShare: number;
}

/** Measures from a tenth of the ids to nine tenths; resolves when all have come. */
export async function measureDrain(
  sink: Sink,
  pid: number,
  count: number,
): Promise<Drained> {
  const at = async (share: number) => {
    const { unique } = await sink.waitForUnique(count * share);
    const now = performance.now();
    return {
      unique,
      now,
      cpu: cpuSecondsOf(pid),
      sink: cpuSecondsOf(sink.pid),
    };
  };
  const from = await at(0.1);
  const to = await at(0.9);
  await sink.waitForUnique(count);
  const seconds = (to.now - from.now) / 1000;
  return {
    perCpuSecond: (to.unique - from.unique) / (to.cpu - from.cpu),
    perSecond: (to.unique - from.unique) / seconds,
    sinkShare: (to.sink - from.sink) / seconds,
  };
}
