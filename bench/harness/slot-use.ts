/** How much of a number of slots is used, while the sink takes its time to answer. */
import { checkIds } from "./checks.ts";
import { BODY_BYTES, SECRET } from "./load.ts";
import { cpuSecondsByName, cpuSecondsOf, idleSeconds } from "./proc-stat.ts";
import { BOTH_CORES, programOf, startPinned } from "./processes.ts";
import type { Sink } from "./sink.ts";
import type { Site, Started } from "./site.ts";

/** How long the sink takes to answer, ms. */
export const ANSWER_MS = 50;
/**
 * The slots of a dispatcher. Two dispatchers then send 2,000 requests a second at most, three 3,000, which leaves room on two cores.
 * With 200 slots two would send 8,000, and the processor would be measured instead of the slots.
 */
export const SLOTS = 50;
/** What all slots of one dispatcher could do. */
export const IDEAL_PER_SECOND = (SLOTS * 1000) / ANSWER_MS;
/** Under joins and leaves: a share of what one dispatcher can do, so that it alone can bear it. */
export const HEALTHY_PER_SECOND = IDEAL_PER_SECOND * 0.4;
export const TARGET = { ratio: 0.9, pauseMs: 3_000 };

export interface Used {
  readonly perSecond: number;
  /** `perSecond` over what all slots could do. */
  readonly ratio: number;
  /** The share of all slots that had a request under way at the sink. A slot is taken for a little longer than that. */
  readonly busyShare: number;
  /** CPU seconds per second of all dispatchers together. */
  readonly cores: number;
  /** Cores of the machine that had nothing to do. */
  readonly idleCores: number;
}

/** A bare loop of signed requests with as many connections as a dispatcher has slots: what is possible on this machine now. */
export async function bareUse(
  sink: Sink,
  given: {
    readonly round: number;
    readonly count: number;
    readonly slots: number;
  },
): Promise<Used> {
  const { round, count, slots } = given;
  const prefix = `bare_${round}_`;
  await sink.reset();
  const loop = startPinned({
    name: "raw-signed-dispatch",
    cores: BOTH_CORES,
    main: programOf("baselines/raw-signed-dispatch.ts"),
    args: [sink.url, SECRET, BODY_BYTES, count, slots, prefix].map(String),
  });
  const cpu = (): number => cpuSecondsOf(loop.pid);
  const used = await measureUse(sink, { count, slots, cpu });
  await sink.waitForUnique(count);
  await loop.stop();
  const ids = Array.from({ length: count }, (_, i) => `${prefix}${i}`);
  checkIds(await sink.report(), new Set(ids));
  return used;
}

/** Preloads more than all slots of the dispatchers can send in so many seconds, and measures while they do. */
export async function backlogUse(
  sink: Sink,
  site: Site,
  given: {
    /** The site's dispatchers. */
    readonly running: readonly Started[];
    /** Of each of them. */
    readonly slots: number;
    readonly seconds: number;
  },
): Promise<Used> {
  const { running, seconds } = given;
  const slots = given.slots * running.length;
  const pids = new Map(running.map(({ pid }) => [String(pid), pid]));
  const cpu = (): number =>
    [...cpuSecondsByName(pids).values()].reduce((sum, each) => sum + each, 0);
  await sink.reset();
  const ids = await site.preload(
    Math.round((slots * seconds * 1000) / ANSWER_MS),
  );
  const used = await measureUse(sink, { count: ids.length, slots, cpu });
  await site.checked(ids);
  return used;
}

/** Call once so many deliveries wait that all slots have work; measures from a fifth to four fifths of the ids. */
export async function measureUse(
  sink: Sink,
  given: {
    readonly count: number;
    readonly slots: number;
    /** CPU seconds used so far. */
    readonly cpu: () => number;
  },
): Promise<Used> {
  const { count, slots, cpu } = given;
  const at = async (share: number) => {
    const seen = await sink.waitForUnique(count * share);
    const idle = idleSeconds();
    return { ...seen, now: performance.now(), cpu: cpu(), idle };
  };
  const from = await at(0.2);
  const to = await at(0.8);
  const seconds = (to.now - from.now) / 1000;
  const perSecond = (to.unique - from.unique) / seconds;
  const underWay = (to.underWayMs - from.underWayMs) / 1000 / seconds;
  return {
    perSecond,
    ratio: (perSecond * ANSWER_MS) / 1000 / slots,
    busyShare: underWay / slots,
    cores: (to.cpu - from.cpu) / seconds,
    idleCores: (to.idle - from.idle) / seconds,
  };
}
