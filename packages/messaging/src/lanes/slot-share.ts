/**
 * The places where lanes stand in line for slots: each standing has a share for each group, each share a queue of lanes.
 *
 * Invariant: a ready lane stands in the queue of its share, and a share with such lanes in the list of its level. The level
 * is how many binary digits the number of its slots has: so the group with the fewest is found in constant time, and is
 * exact within a factor of two.
 */
import type { MonotonicMs } from "@postrider/core";
import type { LaneStanding } from "../stage.ts";
import { CompletionRate } from "./completion-rate.ts";
import { Fifo, type Linked } from "./fifo.ts";

/** What a lane brings to stand in line. Only `SlotShares` and `Share` change it. */
export interface SlotLane<L extends SlotLane<L>> extends Linked<L> {
  share: Share<L>;
  inFlight: number;
  isReady: boolean;
}

/** The lanes of one standing. */
export class Standing<L extends SlotLane<L>> {
  readonly name: LaneStanding;
  /** Slots that they may hold. */
  readonly most: number;
  held = 0;
  /** By level: its shares that have a ready lane. Which lists are not empty is in the bits of `levels`. */
  readonly lists: Fifo<Share<L>>[] = [];
  levels = 0;

  constructor(name: LaneStanding, most: number) {
    this.name = name;
    this.most = most;
    for (let level = 0; level < 31; level++) this.lists.push(new Fifo());
  }
}

/** A tenant's lanes, or those of all where nobody shares. */
export class Group<L extends SlotLane<L>> {
  readonly shares: Readonly<Record<LaneStanding, Share<L>>>;

  constructor(standings: readonly Standing<L>[], now: MonotonicMs) {
    const [proven, unknown, suspect] = standings.map(
      (standing) => new Share(this, standing, now),
    );
    this.shares = { proven: proven!, unknown: unknown!, suspect: suspect! };
  }
}

/** A group's lanes of one standing. */
export class Share<L extends SlotLane<L>> implements Linked<Share<L>> {
  readonly group: Group<L>;
  readonly standing: Standing<L>;
  ahead: Share<L> | null = null;
  behind: Share<L> | null = null;
  /** Of what its lanes complete. */
  readonly rate: CompletionRate;
  readonly #ready = new Fifo<L>();
  /** How many lanes are ready. */
  #waiting = 0;
  #held = 0;
  /** -1: nothing is ready. */
  #level = -1;

  constructor(group: Group<L>, standing: Standing<L>, now: MonotonicMs) {
    this.group = group;
    this.standing = standing;
    this.rate = new CompletionRate(now);
  }

  /** Whose turn it is. */
  get firstReady(): L | null {
    return this.#ready.first;
  }

  /** How long it takes, at its pace, until each lane that is ready has had a slot; null while it is too early to say. */
  waitMs(now: MonotonicMs): number | null {
    const perSecond = this.rate.perSecond(now);
    if (perSecond === null) return null;
    return perSecond === 0 ? Infinity : (this.#waiting * 1000) / perSecond;
  }

  enter(lane: L): void {
    lane.isReady = true;
    this.#ready.push(lane);
    this.#waiting++;
    this.#place(false);
  }

  /** `hadTurn`: its slot comes, and other groups that hold as many come before the next one of this group. */
  leave(lane: L, hadTurn: boolean): void {
    lane.isReady = false;
    this.#ready.remove(lane);
    this.#waiting--;
    this.#place(hadTurn);
  }

  /** So many slots more. */
  hold(by: number): void {
    this.#held += by;
    this.standing.held += by;
    this.#place(false);
  }

  /** Into the list where it belongs; `hadTurn`: behind its equals. */
  #place(hadTurn: boolean): void {
    const { lists } = this.standing;
    const from = this.#level;
    const to = this.#waiting === 0 ? -1 : 32 - Math.clz32(this.#held);
    if (to === from && (!hadTurn || isAlone(lists[from]))) return;
    if (from >= 0) {
      const list = lists[from]!;
      list.remove(this);
      if (list.first === null) this.standing.levels &= ~(1 << from);
    }
    if (to >= 0) {
      lists[to]!.push(this);
      this.standing.levels |= 1 << to;
    }
    this.#level = to;
  }
}

function isAlone<T extends Linked<T>>(list: Fifo<T> | undefined): boolean {
  return list?.first === list?.last;
}
