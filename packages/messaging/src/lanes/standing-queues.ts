/**
 * The queues in which lanes wait for slots. Each standing has a share for each group; each share has a queue of ready lanes.
 *
 * Invariant: a ready lane is in the queue of its share, and a share with ready lanes is in the list of its level. A share's level
 * is the number of binary digits of the count of slots that it holds. So a group that holds the fewest slots is found in constant
 * time, exact within a factor of two.
 */
import type { MonotonicMs } from "@postrider/core";
import type { LaneStanding } from "../stage.ts";
import { CompletionRate } from "./completion-rate.ts";
import { Fifo, type Linked } from "./fifo.ts";

/** The fields of a lane that slots need. Only `SlotShares` and `Share` change them. */
export interface SlotLane<L extends SlotLane<L>> extends Linked<L> {
  share: Share<L>;
  inFlight: number;
  isReady: boolean;
}

/** The lanes of one standing. */
export class Standing<L extends SlotLane<L>> {
  readonly name: LaneStanding;
  /** How many slots its lanes may hold together. */
  readonly most: number;
  held = 0;
  /** For each level the shares that have a ready lane. Bit n of `levels` is set if list n is not empty. */
  readonly lists: Fifo<Share<L>>[] = [];
  levels = 0;
  /** The levels that the next turn goes past, as bits: the last record that started ended at once, and its share is at the highest of them. */
  passed = 0;

  constructor(name: LaneStanding, most: number) {
    this.name = name;
    this.most = most;
    for (let level = 0; level < 31; level++) this.lists.push(new Fifo());
  }
}

/** The lanes of one tenant; all lanes if the stage has no groups. */
export class Group<L extends SlotLane<L>> {
  readonly shares: Readonly<Record<LaneStanding, Share<L>>>;

  constructor(standings: readonly Standing<L>[], now: MonotonicMs) {
    const [proven, unknown, quiet, suspect] = standings.map(
      (standing) => new Share(this, standing, now),
    );
    this.shares = {
      proven: proven!,
      unknown: unknown!,
      quiet: quiet!,
      suspect: suspect!,
    };
  }
}

/** A group's lanes of one standing. */
export class Share<L extends SlotLane<L>> implements Linked<Share<L>> {
  readonly group: Group<L>;
  readonly standing: Standing<L>;
  ahead: Share<L> | null = null;
  behind: Share<L> | null = null;
  /** Completions of its lanes. */
  readonly rate: CompletionRate;
  readonly #ready = new Fifo<L>();
  /** How many lanes are ready. */
  #waiting = 0;
  #held = 0;
  /** The list that the share is in; -1 if no lane is ready. */
  #level = -1;

  constructor(group: Group<L>, standing: Standing<L>, now: MonotonicMs) {
    this.group = group;
    this.standing = standing;
    this.rate = new CompletionRate(now);
  }

  /** The lane whose turn it is. */
  get firstReady(): L | null {
    return this.#ready.first;
  }

  /** How long it takes at the share's rate until each of its ready lanes has had a slot, ms; null while it is too early to tell. */
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

  /** The lane is no longer ready. `hadTurn`: it gets a slot, so other groups of the same level come before the next lane of this one. */
  leave(lane: L, hadTurn: boolean): void {
    lane.isReady = false;
    this.#ready.remove(lane);
    this.#waiting--;
    this.#place(hadTurn);
  }

  /** The share holds `by` slots more (less, if negative). */
  hold(by: number): void {
    this.#held += by;
    this.standing.held += by;
    this.#place(false);
  }

  /** The next turn goes past this share and those that hold fewer slots. */
  pass(): void {
    this.standing.passed = 2 ** (levelOf(this.#held) + 1) - 1;
  }

  /** Moves the share to the list of its level. `hadTurn`: to the end of that list, even if the level is the same. */
  #place(hadTurn: boolean): void {
    const { lists } = this.standing;
    const from = this.#level;
    const to = this.#waiting === 0 ? -1 : levelOf(this.#held);
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

function levelOf(held: number): number {
  return 32 - Math.clz32(held);
}

function isAlone<T extends Linked<T>>(list: Fifo<T> | undefined): boolean {
  return list?.first === list?.last;
}
