/**
 * Relief: which records that have not started leave a window under pressure (architecture §5).
 *
 * Only lanes that would need more than a second to drain, at their measured rate, give; the slowest first, each its newest
 * records and never so many that less than a second's work is left. Each record reserves the next free slot of its lane's
 * virtual clock, in the order of the topic, so that a backlog waits once for as long as it must.
 */
import type { EpochMs, MonotonicMs } from "@postrider/core";
import type { Lane, Queued } from "./lanes.ts";

export interface Relieved<E> {
  readonly entry: E;
  readonly slotAt: EpochMs;
}

/** A lane that drains within this is not slow, ms. */
const DRAIN_MS = 1000;
/** A lane of which nothing completes still gets a slot a second: it may be well again by then, ms. */
const LONGEST_STEP_MS = 1000;
/** A slot further away than this says nothing any more, ms. */
const FURTHEST_SLOT_MS = 3_600_000;

export interface ReliefRequest<E> {
  readonly now: EpochMs;
  readonly monotonic: MonotonicMs;
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
  const { now, monotonic, wants, most } = request;
  const relieved: Relieved<E>[] = [];
  for (const { lane, rate } of slowest(lanes, monotonic)) {
    if (relieved.length >= most) break;
    const keep = Math.max(1, Math.ceil((rate * DRAIN_MS) / 1000));
    const chosen: E[] = [];
    let excess = lane.queued - keep;
    for (
      let entry = lane.newest;
      entry !== null && excess > 0 && relieved.length + chosen.length < most;
      entry = entry.ahead, excess--
    )
      if (wants(entry)) chosen.push(entry);
    reserve(lane, chosen.toReversed(), rate, now, relieved);
  }
  return relieved;
}

function slowest<E>(lanes: Iterable<Lane<E>>, monotonic: MonotonicMs) {
  const slow: { lane: Lane<E>; rate: number; drainMs: number }[] = [];
  for (const lane of lanes) {
    if (lane.queued < 2) continue;
    const rate = lane.ratePerSecond(monotonic);
    if (rate === null) continue;
    const drainMs = rate === 0 ? Infinity : (lane.queued * 1000) / rate;
    if (drainMs > DRAIN_MS) slow.push({ lane, rate, drainMs });
  }
  return slow.sort((a, b) => b.drainMs - a.drainMs);
}

function reserve<E>(
  lane: Lane<E>,
  chosen: readonly E[],
  rate: number,
  now: EpochMs,
  relieved: Relieved<E>[],
): void {
  const stepMs = Math.min(LONGEST_STEP_MS, 1000 / Math.max(rate, 0.001));
  let slotAt = Math.max(lane.nextSlotAt, now + DRAIN_MS);
  for (const entry of chosen) {
    relieved.push({ entry, slotAt: Math.round(slotAt) });
    slotAt = Math.min(slotAt + stepMs, now + FURTHEST_SLOT_MS);
  }
  if (chosen.length > 0) lane.nextSlotAt = slotAt;
}
