/** How long the processes of a case were ready to run and got no core: what a busy machine adds to whatever they do. */
import { readdirSync, readFileSync } from "node:fs";

const EVERY_MS = 200;

export interface Watched {
  /** Null: it has ended. */
  readonly pid: number | null;
  /** Of a service only the main thread is on the way of an event; of a broker any may be. */
  readonly threads: "main" | "all";
}

interface Reading {
  readonly at: number;
  /** Since the first reading, ms: the time in which at least one of the threads waited, or more. */
  readonly waitedMs: number;
}

export class CpuWaits {
  readonly #watched: () => readonly Watched[];
  readonly #readings: Reading[] = [];
  /** By thread: how long it has waited since its start, ms. */
  #before = new Map<string, number>();
  readonly #timer: NodeJS.Timeout;

  /** `watched` is asked again for each reading: processes come and go. */
  constructor(watched: () => readonly Watched[]) {
    this.#watched = watched;
    this.#read();
    // Of a case that fails nobody stops it.
    this.#timer = setInterval(() => this.#read(), EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#read();
  }

  /**
   * Of the time between the two (epoch ms), the part in which somebody waited for a core, ms. Whatever happened in that time waited no
   * longer for one: never too short, and too long by what was waited for in vain. 0 where the system does not count it (it is Linux that does).
   */
  waitedMs(from: number, until: number): number {
    const first = this.#readings.findLast(({ at }) => at <= from);
    const last = this.#readings.find(({ at }) => at >= until);
    if (first === undefined || last === undefined) return 0;
    return Math.min(until - from, last.waitedMs - first.waitedMs);
  }

  /** The same, of the whole time that was measured, in percent. */
  waitedPercent(): number {
    const [first, last] = [this.#readings[0], this.#readings.at(-1)];
    if (first === undefined || last === undefined || last.at === first.at)
      return 0;
    return Math.round((100 * last.waitedMs) / (last.at - first.at));
  }

  #read(): void {
    const at = Date.now();
    const now = new Map<string, number>();
    for (const one of this.#watched())
      for (const file of filesOf(one)) now.set(file, waitedSinceStart(file));
    const last = this.#readings.at(-1);
    let waitedMs = 0;
    // A thread that is new has waited since the last reading.
    for (const [file, ms] of now)
      waitedMs += ms - (this.#before.get(file) ?? 0);
    this.#before = now;
    this.#readings.push({
      at,
      waitedMs:
        last === undefined
          ? 0
          : last.waitedMs + Math.min(waitedMs, at - last.at),
    });
  }
}

function filesOf({ pid, threads }: Watched): string[] {
  if (pid === null) return [];
  const process = `/proc/${pid}`;
  if (threads === "main") return [`${process}/schedstat`];
  try {
    return readdirSync(`${process}/task`).map(
      (thread) => `${process}/task/${thread}/schedstat`,
    );
  } catch {
    return []; // it has ended, or this is no Linux
  }
}

/** The second number is the time on a run queue, ns (docs.kernel.org, "Scheduler Statistics"). */
function waitedSinceStart(file: string): number {
  try {
    return Number(readFileSync(file, "utf8").split(" ")[1]) / 1e6;
  } catch {
    return 0; // it has ended
  }
}
