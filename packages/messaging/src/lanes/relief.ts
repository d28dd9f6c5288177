/**
 * Relief: which records that have not started leave a window under pressure (docs/architecture.md, "The runner").
 *
 * Only lanes that would need more than a second to drain, at their measured rate, give; the slowest first, each its newest
 * records and never so many that less than a second's work is left. Each record reserves the next free slot of its lane's
 * virtual clock, in the order of the topic, so that a backlog waits once for as long as it must.
 *
 * A lane that is held back, because the slots for lanes that are not known to answer are taken, gives all that it has, if its
 * turn is further away than the slot that it gets instead. There may be thousands of such lanes with a record each: if they
 * stayed, their partition's window would be full of them.
 *
 * In a process that is saturated a lane may be slow only because it waits for us. Then lanes are compared with each other:
 *
 *     it drains within twice the time that everything queued needs at the process's rate     it waits for us: kept
 *     or it completes half as much as lanes with a queue do on average                       it waits for us: kept
 *     neither (a black hole among others)                                                    slow: relieved
 *
 * So an overload that all share is never deferred: fetching pauses. The second line is for lanes of equal pace and unequal
 * queues, as when one partition carries one endpoint and another carries five.
 */
import type { EpochMs, MonotonicMs } from "@postrider/core";
import type { Lane, Queued } from "./lane.ts";

export interface Relieved<E> {
  readonly entry: E;
  readonly slotAt: EpochMs;
}

/** What the lanes share. */
export interface Load {
  /** The process itself is what its records wait for. */
  readonly isSaturated: boolean;
  /** Of all lanes together; null while it is too early to say. */
  readonly ratePerSecond: number | null;
}

/** A lane that drains within this is not slow, ms. */
const DRAIN_MS = 1000;
/** A lane of which nothing completes still gets a slot a second: it may be well again by then, ms. */
const LONGEST_STEP_MS = 1000;
/**
 * A slot is no further away than this, ms: as far as the longest ordinary retry. The rate that it comes from was measured in
 * a bad moment, and the lane may be well long before a backlog that waits by it has gone.
 */
const FURTHEST_SLOT_MS = 300_000;
/** The first slot of a lane that is held back, ms. One tier. */
const HELD_BACK_SLOT_MS = 32_000;
/** In a saturated process it says as much of us as of the lane, ms. One tier, so that a wait of that length is one hop. */
const FURTHEST_WHEN_SATURATED_MS = 64_000;

export interface ReliefRequest<E> {
  readonly now: EpochMs;
  readonly monotonic: MonotonicMs;
  readonly load: Load;
  /** The record's partition is under pressure, and still wants to be rid of records: called before each is taken. */
  readonly wants: (entry: E) => boolean;
  /** At most so many. */
  readonly most: number;
}

/** The records to defer. They still stand in their queues; their lanes' clocks have moved. */
export function relieve<E extends Queued<E>>(
  lanes: Iterable<Lane<E>>,
  request: ReliefRequest<E>,
): Relieved<E>[] {
  const { now, wants, most, load } = request;
  const furthestAt =
    now + (load.isSaturated ? FURTHEST_WHEN_SATURATED_MS : FURTHEST_SLOT_MS);
  const relieved: Relieved<E>[] = [];
  for (const { lane, rate, isHeldBack } of slowest(lanes, request)) {
    if (relieved.length >= most) break;
    const keep = isHeldBack
      ? 0
      : Math.max(1, Math.ceil((rate * DRAIN_MS) / 1000));
    const firstAt = now + (isHeldBack ? HELD_BACK_SLOT_MS : DRAIN_MS);
    const chosen: E[] = [];
    let excess = lane.queued - keep;
    for (
      let entry = lane.newest;
      entry !== null && excess > 0 && relieved.length + chosen.length < most;
      entry = entry.ahead, excess--
    )
      if (wants(entry)) chosen.push(entry);
    relieved.push(
      ...reserve(lane, chosen.toReversed(), { rate, firstAt, furthestAt }),
    );
  }
  return relieved;
}

interface SlowLane<E> {
  readonly lane: Lane<E>;
  readonly rate: number;
  readonly drainMs: number;
  readonly isHeldBack: boolean;
}

function slowest<E>(
  lanes: Iterable<Lane<E>>,
  { monotonic, load }: Pick<ReliefRequest<E>, "monotonic" | "load">,
): SlowLane<E>[] {
  const backlogged = [...lanes].filter(({ queued }) => queued > 0);
  const slow: SlowLane<E>[] = [];
  for (const lane of backlogged) {
    const rate = lane.ratePerSecond(monotonic);
    if (rate === null) continue;
    const isHeldBack = (lane.heldBackMs(monotonic) ?? 0) > HELD_BACK_SLOT_MS;
    if (lane.queued < 2 && !isHeldBack) continue;
    const drainMs = isHeldBack ? Infinity : drainTime(lane.queued, rate);
    if (drainMs > DRAIN_MS) slow.push({ lane, rate, drainMs, isHeldBack });
  }
  slow.sort((a, b) => b.drainMs - a.drainMs);
  if (!load.isSaturated) return slow;
  const isKept = waitsForUs(backlogged, load.ratePerSecond, monotonic);
  return slow.filter((each) => each.isHeldBack || !isKept(each));
}

function waitsForUs<E>(
  backlogged: readonly Lane<E>[],
  totalRate: number | null,
  monotonic: MonotonicMs,
): (slow: SlowLane<E>) => boolean {
  if (totalRate === null) return () => true;
  const paceOf = (lane: Lane<E>) => lane.completedPerSecond(monotonic) ?? 0;
  let queued = 0;
  let pace = 0;
  for (const lane of backlogged) {
    queued += lane.queued;
    pace += paceOf(lane);
  }
  const usualMs = drainTime(queued, totalRate);
  const usualPace = pace / backlogged.length;
  return ({ lane, drainMs }) =>
    drainMs <= 2 * usualMs || (pace > 0 && paceOf(lane) >= usualPace / 2);
}

function drainTime(queued: number, ratePerSecond: number): number {
  return ratePerSecond === 0 ? Infinity : (queued * 1000) / ratePerSecond;
}

function reserve<E>(
  lane: Lane<E>,
  chosen: readonly E[],
  given: {
    readonly rate: number;
    readonly firstAt: EpochMs;
    readonly furthestAt: EpochMs;
  },
): Relieved<E>[] {
  const { rate, firstAt, furthestAt } = given;
  const stepMs = Math.min(LONGEST_STEP_MS, 1000 / Math.max(rate, 0.001));
  return chosen.map((entry) => {
    const slotAt = Math.max(lane.nextSlotAt, firstAt);
    // Never back: what lies between was given to others while the process was not saturated.
    lane.nextSlotAt = Math.max(
      lane.nextSlotAt,
      Math.min(slotAt + stepMs, furthestAt),
    );
    return { entry, slotAt: Math.round(Math.min(slotAt, furthestAt)) };
  });
}
