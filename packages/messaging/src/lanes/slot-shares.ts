/**
 * Who gets the next slot: which of the lanes that have a record to start.
 *
 * A process has a bounded number of slots, and a lane whose endpoint answers nothing holds one for the length of its time-out.
 * So lanes of each standing have a part of the slots, and in it each group (tenant) has a share:
 *
 *     proven    it answers              may use every slot: three eighths at least are left for it
 *     unknown   nobody knows            half of all slots, at most
 *     suspect   it did not answer       an eighth of all slots, at most
 *
 * A group may hold about eight times as many of a standing's slots as are free: a single one eight ninths, each of several
 * less. So there is a slot for a group that has none, however much the others want. The next slot goes to the group that
 * holds the fewest, and standings take turns.
 *
 * Invariant: what a standing, and a group in it, is counted to hold is what its lanes have in flight (slot-share).
 */
import type { MonotonicMs } from "@postrider/core";
import type { LaneStanding } from "../stage.ts";
import { Group, type Share, type SlotLane, Standing } from "./slot-share.ts";

/** The part of all slots that lanes of a standing may hold. */
const MOST: Readonly<Record<LaneStanding, number>> = {
  proven: 1,
  unknown: 1 / 2,
  suspect: 1 / 8,
};
/** A group may hold so many times what is free beside the one that it leaves. */
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

  /** `hasGroups`: without groups that share, one may use all. */
  constructor(slots: number, hasGroups: boolean) {
    this.#slots = slots;
    this.#hasGroups = hasGroups;
    const standing = (name: LaneStanding): Standing<L> =>
      new Standing(name, Math.max(1, Math.floor(slots * MOST[name])));
    this.#proven = standing("proven");
    this.#standings = [this.#proven, standing("unknown"), standing("suspect")];
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  /** A ready lane may have a slot now. */
  get hasNext(): boolean {
    for (const standing of this.#standings)
      if (this.#share(standing) !== null) return true;
    return false;
  }

  /** The process' own bound, and not a lane's standing, keeps a ready lane from a slot. */
  get isShort(): boolean {
    if (this.#inFlight >= this.#slots)
      return this.#standings.some(({ levels }) => levels !== 0);
    return this.#proven.levels !== 0 && this.#share(this.#proven) === null;
  }

  /** The share of a lane that is new. */
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

  /** The lane whose turn it is, not ready any more; null when none may have a slot. */
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

  /** The lane holds one slot more, or one less. */
  hold(lane: L, by: 1 | -1): void {
    lane.inFlight += by;
    this.#inFlight += by;
    lane.share.hold(by);
  }

  /** What is known of the lane has changed: the slots that it holds count in its new standing. */
  move(lane: L, standing: LaneStanding): void {
    const { share, isReady } = lane;
    if (share.standing.name === standing) return;
    this.unready(lane);
    share.hold(-lane.inFlight);
    lane.share = share.group.shares[standing];
    lane.share.hold(lane.inFlight);
    if (isReady) this.ready(lane);
  }

  /** Rates are measured from now on. */
  restartMeasures(now: MonotonicMs): void {
    for (const { shares } of this.#groups.values())
      for (const name in shares) shares[name as LaneStanding].rate.restart(now);
  }

  /** Rates forget what is too old to count. */
  turnMeasures(now: MonotonicMs): void {
    for (const { shares } of this.#groups.values())
      for (const name in shares) shares[name as LaneStanding].rate.turn(now);
  }

  /** Forgets groups of which there is no lane. */
  sweep(isUsed: (group: Group<L>) => boolean): void {
    for (const [name, group] of this.#groups)
      if (!isUsed(group)) this.#groups.delete(name);
  }

  /** The share that gets the standing's next slot, if it may. */
  #share(standing: Standing<L>): Share<L> | null {
    const { levels } = standing;
    if (levels === 0) return null;
    const free = Math.min(
      this.#slots - this.#inFlight,
      standing.most - standing.held,
    );
    const lowest = 31 - Math.clz32(levels & -levels);
    // Who holds nothing may have the last slot; whoever holds some leaves one. By the most that shares of this level hold.
    const held = 2 ** lowest - 1;
    const isFree =
      held === 0 || !this.#hasGroups
        ? free > 0
        : held < (free - 1) * TIMES_FREE;
    return isFree ? standing.lists[lowest]!.first : null;
  }
}
