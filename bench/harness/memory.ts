/** The memory of a process over time, and whether it grows. Linux only. */
import { readFileSync } from "node:fs";
import { median } from "./statistics.ts";

export interface MemorySample {
  readonly atSeconds: number;
  /** The resident set, KB. */
  readonly rssKb: number;
}

const EVERY_MS = 250;

/** Looks at a process four times a second until `stop`, which returns what was seen. */
export function watchMemory(pid: number): { stop(): readonly MemorySample[] } {
  const samples: MemorySample[] = [];
  const look = (): void => {
    const atSeconds = performance.now() / 1000;
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    samples.push({ atSeconds, rssKb: rssKbOf(status) });
  };
  look();
  const timer = setInterval(look, EVERY_MS);
  return {
    stop() {
      clearInterval(timer);
      return samples;
    },
  };
}

/** VmRSS of /proc/PID/status, KB. Source: proc_pid_status(5). */
export function rssKbOf(status: string): number {
  const kb = Number(/^VmRSS:\s*(\d+) kB$/m.exec(status)?.[1] ?? NaN);
  if (Number.isNaN(kb)) throw new Error(`not a /proc status: ${status}`);
  return kb;
}

/** Pieces of which each gives its lowest sample: memory is a saw between two garbage collections, and a leak lifts its lower points. */
const PIECES = 20;

/** The growth in the second half of the samples, KB per second: the median of the slopes between the lowest samples of any two twentieths (Theil–Sen). Needs 80 samples. */
export function growthOf(samples: readonly MemorySample[]): number {
  const half = samples.slice(Math.ceil(samples.length / 2));
  const size = Math.floor(half.length / PIECES);
  if (size < 2) throw new RangeError(`only ${samples.length} samples`);
  const floors = Array.from({ length: PIECES }, (_, i) =>
    half
      .slice(i * size, (i + 1) * size)
      .reduce((low, each) => (each.rssKb < low.rssKb ? each : low)),
  );
  const slopes = floors.flatMap((to, i) =>
    floors
      .slice(0, i)
      .map((from) => (to.rssKb - from.rssKb) / (to.atSeconds - from.atSeconds)),
  );
  return median(slopes);
}
