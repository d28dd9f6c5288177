/**
 * Relief chooses which records that have not started leave a window under pressure and go to a tier (docs/architecture.md, "The
 * runner").
 *
 * A lane is *slow* if it would need more than a second to drain at its measured rate. Only slow lanes hand over records, the
 * slowest first. A lane hands over its newest records, and keeps a second's work. Each record reserves the next free slot of its
 * lane's virtual clock, in the order of the topic, so that a backlog waits only once, for as long as it must.
 *
 * A lane is *held back* if it is not proven and the slots for lanes of its standing are taken. If its turn for a slot is more than
 * 32 s away, which is the wait of its first slot in a tier, it hands over all its records. There may be thousands of such lanes with
 * a record each; if they stayed, they would fill their partition's window.
 *
 * A lane is *throttled* if its rate limit lets no record start now. It hands over what cannot start within a second, each record until
 * its turn by the limit (far-turns.ts).
 *
 * In a saturated process a lane may be slow only because it waits for the process. Then lanes are compared with each other:
 *
 *     it drains within twice the time that everything queued needs at the process's rate     waits for the process: kept
 *     or it completes at least half as much as lanes with a queue do on average              waits for the process: kept
 *     neither (one lane that never answers, among others that do)                            slow: relieved
 *
 * A lane whose records end at once (they are deferred, or parked) waits for the process alone: it is kept, and nothing is compared with it.
 *
 * So an overload that all lanes share is never deferred: fetching pauses instead. The second line is for lanes of equal pace and
 * unequal queues, for example if one partition carries one endpoint and another carries five.
 */
import type { EpochMs, MonotonicMs } from "@postrider/core";
import { farTurns, type FarTurnsRequest } from "./far-turns.ts";
import type { Lane, Queued, Relieved } from "./lane.ts";
import { FURTHEST_SLOT_MS, reserveSlot } from "./reserve-slot.ts";

/** The load of the whole process. */
export interface Load {
  /** The process itself is the bottleneck (saturation). */
  readonly isSaturated: boolean;
  /** Completions of all lanes together; null while it is too early to tell. */
  readonly ratePerSecond: number | null;
}

/** A lane that drains within this is not slow, ms. */
const DRAIN_MS = 1000;
/** The slots of a lane are at most so far apart, ms. A lane that completes nothing still gets a slot a second, because it may recover meanwhile. */
const LONGEST_STEP_MS = 1000;
/** How far away the first slot of a lane that is held back is, ms. One tier, so that the wait is one hop. */
const HELD_BACK_SLOT_MS = 32_000;
/** In a saturated process a slot is no further away than this, ms: the measured rate then partly reflects the process, and not only the lane. One tier, so that the wait is one hop. */
const FURTHEST_WHEN_SATURATED_MS = 64_000;

export interface ReliefRequest<E> extends Omit<FarTurnsRequest<E>, "beyondMs"> {
  readonly load: Load;
  /** Whether the record's partition is under pressure and must still get rid of records. Called before each record is chosen. */
  readonly wants: (entry: E) => boolean;
}

/** Chooses the records to defer and reserves their slots. The records are still in their queues afterwards. */
export function relieve<E extends Queued<E>>(
  all: Iterable<Lane<E>>,
  request: ReliefRequest<E>,
): Relieved<E>[] {
  const { now, wants, most, load } = request;
  const lanes = [...all].filter(({ queued }) => queued > 0);
  const furthestAt =
    now + (load.isSaturated ? FURTHEST_WHEN_SATURATED_MS : FURTHEST_SLOT_MS);
  const relieved: Relieved<E>[] = [];
  for (const lane of lanes) {
    const left = most - relieved.length;
    if (lane.throttle !== null)
      relieved.push(
        ...farTurns(lane, { ...request, beyondMs: DRAIN_MS, most: left }),
      );
  }
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
  backlogged: readonly Lane<E>[],
  { monotonic, load }: Pick<ReliefRequest<E>, "monotonic" | "load">,
): SlowLane<E>[] {
  const slow: SlowLane<E>[] = [];
  for (const lane of backlogged) {
    const rate = lane.ratePerSecond(monotonic);
    if (rate === null || lane.throttle !== null) continue;
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
  let count = 0;
  let queued = 0;
  let pace = 0;
  for (const lane of backlogged) {
    if (lane.endsAtOnce) continue;
    count++;
    queued += lane.queued;
    pace += paceOf(lane);
  }
  const usualMs = drainTime(queued, totalRate);
  const usualPace = pace / count;
  return ({ lane, drainMs }) =>
    lane.endsAtOnce ||
    drainMs <= 2 * usualMs ||
    (pace > 0 && paceOf(lane) >= usualPace / 2);
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
    const slotAt = reserveSlot(lane, { from: firstAt, stepMs, furthestAt });
    return { entry, slotAt: Math.round(slotAt), isTurn: false };
  });
}
