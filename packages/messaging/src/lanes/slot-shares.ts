/**
 * Decides which lane gets the next slot, among those that have a record to start.
 *
 * A process has a bounded number of slots, and a lane whose endpoint never answers holds one until its time-out. So the lanes of
 * each standing may hold a part of the slots only, and within that part each group (tenant) has a share:
 *
 *     proven    the endpoint answers              may hold every slot
 *     unknown   the endpoint was not tried yet    half of all slots, at most
 *     quiet     it lets its requests wait now     an eighth of all slots, at most
 *     suspect   the endpoint did not answer       an eighth of all slots, at most
 *
 * A lane takes the slots that it holds along to its new standing, which may then hold more than its part; it gets no further one
 * until it holds less again. So quiet lanes are not suspect ones: a lane that answers slowly must not use up the part of those
 * that have to be tried again.
 *
 * A group may hold about eight times as many of a standing's slots as are free: one group alone eight ninths, each of several
 * groups less. So there is always a slot for a group that has none, however much the others want. Standings take turns, and the
 * next slot of a standing goes to the group that holds the fewest of its slots, exact within a factor of two.
 *
 * A record that ends as soon as it starts (it is deferred, or parked) leaves its group as empty as before. So that such a group is
 * not always the one with the fewest, the next turn goes past it, to the groups that hold more.
 *
 * Invariant: the number of slots that a standing, or a group in it, holds is the number of records that its lanes have in flight
 * (standing-queues.ts).
 */
import type { MonotonicMs } from "@postrider/core";
import type { LaneStanding } from "../stage.ts";
import {
  Group,
  type Share,
  type SlotLane,
  Standing,
} from "./standing-queues.ts";

/** The part of all slots that lanes of a standing may hold. */
const MOST: Readonly<Record<LaneStanding, number>> = {
  proven: 1,
  unknown: 1 / 2,
  quiet: 1 / 8,
  suspect: 1 / 8,
};
/** A group may hold so many times the free slots, not counting one that it must leave for others. */
const TIMES_FREE = 8;

export class SlotShares<L extends SlotLane<L>> {
  readonly #slots: number;
  readonly #hasGroups: boolean;
  readonly #groups = new Map<string, Group<L>>();
  readonly #standings: readonly Standing<L>[];
  readonly #proven: Standing<L>;
  #inFlight = 0;
  /** Which standing is asked first for the next slot. */
  #turn = 0;

  /** `hasGroups` false: there is one group, and it may hold all slots of a standing. */
  constructor(slots: number, hasGroups: boolean) {
    this.#slots = slots;
    this.#hasGroups = hasGroups;
    const standing = (name: LaneStanding): Standing<L> =>
      new Standing(name, Math.max(1, Math.floor(slots * MOST[name])));
    this.#proven = standing("proven");
    this.#standings = [
      this.#proven,
      standing("unknown"),
      standing("quiet"),
      standing("suspect"),
    ];
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** A ready lane may get a slot now. */
  get hasNext(): boolean {
    for (const standing of this.#standings)
      if (this.#share(standing) !== null) return true;
    return false;
  }

  /** A ready lane gets no slot because the process has too few, and not because of the lane's standing. */
  get isShort(): boolean {
    if (this.#inFlight >= this.#slots)
      return this.#standings.some(({ levels }) => levels !== 0);
    return this.#proven.levels !== 0 && this.#share(this.#proven) === null;
  }

  /** The share for a new lane of this group and standing. */
  shareOf(
    groupName: string,
    standing: LaneStanding,
    now: MonotonicMs,
  ): Share<L> {
    let group = this.#groups.get(groupName);
    if (group === undefined) {
      group = new Group(this.#standings, now);
      this.#groups.set(groupName, group);
    }
    return group.shares[standing];
  }

  /** The lane has a record that may start. */
  ready(lane: L): void {
    if (!lane.isReady) lane.share.enter(lane);
  }

  unready(lane: L): void {
    if (lane.isReady) lane.share.leave(lane, false);
  }

  /** Takes the lane whose turn it is; it is no longer ready then. Null if none may get a slot. */
  next(): L | null {
    const standings = this.#standings;
    for (let n = 0; n < standings.length; n++) {
      const at = (this.#turn + n) % standings.length;
      const share = this.#share(standings[at]!);
      if (share === null) continue;
      this.#turn = at + 1;
      // A share in a list has a ready lane.
      const lane = share.firstReady!;
      share.leave(lane, true);
      return lane;
    }
    return null;
  }

  /** The lane holds one slot more, or one slot less. */
  hold(lane: L, by: 1 | -1): void {
    lane.inFlight += by;
    this.#inFlight += by;
    lane.share.hold(by);
    if (by === 1) lane.share.standing.passed = 0;
  }

  /** The lane's record ended as soon as it had started: the next turn goes past its group. */
  pass(lane: L): void {
    lane.share.pass();
  }

  /** Sets the lane's standing. The slots that it holds count in the new standing from now on. */
  move(lane: L, standing: LaneStanding): void {
    const { share, isReady } = lane;
    if (share.standing.name === standing) return;
    this.unready(lane);
    share.hold(-lane.inFlight);
    lane.share = share.group.shares[standing];
    lane.share.hold(lane.inFlight);
    if (isReady) this.ready(lane);
  }

  /** Measures all rates anew from now on. */
  restartMeasures(now: MonotonicMs): void {
    for (const { shares } of this.#groups.values())
      for (const name in shares) shares[name as LaneStanding].rate.restart(now);
  }

  /** Call each second: rates forget completions that are too old. */
  turnMeasures(now: MonotonicMs): void {
    for (const { shares } of this.#groups.values())
      for (const name in shares) shares[name as LaneStanding].rate.turn(now);
  }

  /** Forgets groups that have no lane. */
  sweep(isUsed: (group: Group<L>) => boolean): void {
    for (const [name, group] of this.#groups)
      if (!isUsed(group)) this.#groups.delete(name);
  }

  /** The share that gets the standing's next slot; null if no share may get one. */
  #share(standing: Standing<L>): Share<L> | null {
    const { levels, passed } = standing;
    if (levels === 0) return null;
    const next =
      passed === 0 ? null : this.#shareOf(standing, levels & ~passed);
    return next ?? this.#shareOf(standing, levels);
  }

  /** The first share of the lowest of these levels; null if it may get no slot, or if there are no levels. */
  #shareOf(standing: Standing<L>, levels: number): Share<L> | null {
    if (levels === 0) return null;
    const free = Math.min(
      this.#slots - this.#inFlight,
      standing.most - standing.held,
    );
    const lowest = 31 - Math.clz32(levels & -levels);
    // A group that holds nothing may take the last free slot; any other must leave one. `held` is the most that a share of this level can hold.
    const held = 2 ** lowest - 1;
    const isFree =
      held === 0 || !this.#hasGroups
        ? free > 0
        : held < (free - 1) * TIMES_FREE;
    return isFree ? standing.lists[lowest]!.first : null;
  }
}
