/**
 * The queues of records that have not started: one per lane.
 *
 * Invariant: a lane is ready exactly when it has a queued record and, when it became ready, had room for one more in flight and
 * was not throttled by its rate limit.
 *
 * Records leave a lane in the order in which they came. Ready lanes take turns, one record each, so that no lane waits for
 * another while there are slots (slot-shares). A lane exists while it holds records, or has reserved slots in the future.
 */
import type { EpochMs, MonotonicMs } from "@postrider/core";
import type { LaneRateLimit, LaneStanding } from "../stage.ts";
import { ThrottledLanes } from "./throttled-lanes.ts";
import { CompletionRate } from "./completion-rate.ts";
import { Lane, type Queued } from "./lane.ts";
import { SlotShares } from "./slot-shares.ts";

export interface LanesOptions {
  /** How many records of a lane may be in flight. Read at each start. One record is always allowed. */
  readonly concurrencyOf: (lane: string) => number;
  /** The lane's standing. Read when a record is queued, starts or ends. Absent: all lanes are proven. */
  readonly standingOf?: ((lane: string) => LaneStanding) | undefined;
  /** Absent: no lane has a rate limit. */
  readonly limits?: LaneRateLimits | undefined;
  /** Records in flight at once, over all lanes. Default: any number. */
  readonly slots?: number;
  /** Whether groups (tenants) share the slots. Default: no, all lanes are one group. */
  readonly hasGroups?: boolean;
}

export interface LaneRateLimits {
  readonly limitOf: (lane: string) => LaneRateLimit | undefined;
  readonly now: () => MonotonicMs;
  /** A lane is throttled. Call `unthrottle` at this time: no other lane is free before. */
  readonly throttledUntil: (at: MonotonicMs) => void;
}

/** A throttled lane is looked at again after this, ms, because its limit may have been changed. */
const LONGEST_THROTTLE_MS = 1_000;

export class Lanes<E extends Queued<E>> {
  readonly #concurrencyOf: (lane: string) => number;
  readonly #standingOf: ((lane: string) => LaneStanding) | undefined;
  readonly #limits: LaneRateLimits | undefined;
  readonly #throttled = new ThrottledLanes<Lane<E>>();
  readonly #lanes = new Map<string, Lane<E>>();
  readonly #shares: SlotShares<Lane<E>>;
  /** Completions of all lanes together, without those that came at once, measured since a record was queued in one of them. */
  readonly #rate = new CompletionRate(0);
  #queued = 0;
  /** Set while a stop winds down: whether the lane may still start records. */
  #mayStart: ((lane: string) => boolean) | null = null;
  /** By name, because a lane is forgotten as soon as it is empty. */
  readonly #retired = new Set<string>();

  constructor(options: LanesOptions) {
    const { slots = Infinity, hasGroups = false } = options;
    this.#concurrencyOf = options.concurrencyOf;
    this.#standingOf = options.standingOf;
    this.#limits = options.limits;
    this.#shares = new SlotShares(slots, hasGroups);
  }

  /** Records that have not started. */
  get queued(): number {
    return this.#queued;
  }

  get size(): number {
    return this.#lanes.size;
  }

  /** A record may start now. */
  get hasReady(): boolean {
    return this.#shares.hasNext;
  }

  /** Records wait because the process has too few slots, and not because of their lanes' standing. */
  get isShort(): boolean {
    return this.#shares.isShort;
  }

  all(): IterableIterator<Lane<E>> {
    return this.#lanes.values();
  }

  /** The lanes whose rate limit lets no record start now. */
  throttled(): Iterable<Lane<E>> {
    return this.#throttled.lanes();
  }

  get throttledCount(): number {
    return this.#throttled.size;
  }

  push(name: string, entry: E, now: MonotonicMs, group = ""): void {
    const lane = this.#lane(name, now, group);
    if (lane.queued === 0) lane.rate.restart(now);
    if (this.#queued === 0) this.#rate.restart(now);
    entry.lane = lane;
    entry.ahead = lane.newest;
    entry.behind = null;
    if (lane.newest === null) lane.oldest = entry;
    else lane.newest.behind = entry;
    lane.newest = entry;
    this.#added(lane);
  }

  /** Puts a record that had started back to the head of its lane: it must start again. */
  pushAhead(name: string, entry: E, now: MonotonicMs, group = ""): void {
    const lane = this.#lane(name, now, group);
    entry.lane = lane;
    entry.ahead = null;
    entry.behind = lane.oldest;
    if (lane.oldest === null) lane.newest = entry;
    else lane.oldest.ahead = entry;
    lane.oldest = entry;
    this.#added(lane);
  }

  /** The next record to start, now counted as in flight in its lane; null when no lane may start one. */
  take(): E | null {
    for (;;) {
      const lane = this.#shares.next();
      if (lane === null) return null;
      // It may have come to stand worse since it became ready: then it waits among others.
      if (this.#lookAt(lane)) {
        this.#makeReady(lane);
        continue;
      }
      // The concurrency may have shrunk since the lane became ready, or its rate limit may be reached. The end of a record in flight makes the lane ready again, and so does `unthrottle`.
      if (
        lane.oldest === null ||
        !this.#hasRoom(lane) ||
        this.#isThrottled(lane) ||
        !this.#goesOn(lane)
      )
        continue;
      const entry = lane.oldest;
      this.remove(entry);
      entry.lane = lane;
      this.#shares.hold(lane, 1);
      this.#makeReady(lane);
      return entry;
    }
  }

  /** For a stop: from now on only proven lanes start records, and of these only those that `mayStart` allows and that are not retired. `mayStart` is asked before each start. */
  windDown(mayStart: (lane: string) => boolean): void {
    this.#mayStart = mayStart;
    for (const lane of this.#lanes.values())
      if (!this.#goesOn(lane)) this.#shares.unready(lane);
  }

  /** The lane starts no record any more. */
  retire(lane: Lane<E>): void {
    this.#retired.add(lane.name);
    this.#shares.unready(lane);
  }

  /** Lanes that are throttled no longer may start records again. */
  unthrottle(now: MonotonicMs): void {
    for (;;) {
      const lane = this.#throttled.takeFree(now);
      if (lane === null) break;
      this.#makeReady(lane);
    }
    if (this.#throttled.firstUntil < Infinity)
      this.#limits?.throttledUntil(this.#throttled.firstUntil);
  }

  /** A record that was taken is no longer in flight. `isCompleted`: it counts as a completion in the rates. `isAtOnce`: it ended as soon as it had started. */
  settle(lane: Lane<E>, isCompleted: boolean, isAtOnce = false): void {
    this.#shares.hold(lane, -1);
    if (isAtOnce) {
      this.#shares.pass(lane);
      lane.endedAtOnce();
    }
    if (isCompleted) {
      lane.rate.completedOne();
      lane.share.rate.completedOne();
      if (!isAtOnce) this.#rate.completedOne();
    }
    if (lane.isForgettable(0)) return void this.#lanes.delete(lane.name);
    this.#lookAt(lane);
    this.#makeReady(lane);
  }

  /** Removes a record that has not started from its queue. */
  remove(entry: E): void {
    const lane = entry.lane;
    if (lane === null) return;
    if (entry.ahead === null) lane.oldest = entry.behind;
    else entry.ahead.behind = entry.behind;
    if (entry.behind === null) lane.newest = entry.ahead;
    else entry.behind.ahead = entry.ahead;
    entry.lane = entry.ahead = entry.behind = null;
    lane.queued--;
    this.#queued--;
    if (lane.queued === 0) this.#shares.unready(lane);
  }

  /** Removes every record that has not started and for which `isGone` holds. */
  removeWhere(isGone: (entry: E) => boolean): void {
    for (const lane of this.#lanes.values()) {
      let entry = lane.oldest;
      while (entry !== null) {
        const behind = entry.behind;
        if (isGone(entry)) this.remove(entry);
        entry = behind;
      }
    }
  }

  /** Completions a second of all lanes together, like `Lane.ratePerSecond`; null while it is too early to tell. */
  ratePerSecond(now: MonotonicMs): number | null {
    return this.#rate.perSecond(now, this.#shares.inFlight);
  }

  /** Measures all rates anew from now on. Call after a time in which nothing could complete through no fault of the lanes. */
  restartMeasures(now: MonotonicMs): void {
    this.#rate.restart(now);
    this.#shares.restartMeasures(now);
    for (const lane of this.#lanes.values()) lane.rate.restart(now);
  }

  /** Call each second: rates forget completions that are too old. */
  turnMeasures(now: MonotonicMs): void {
    this.#rate.turn(now);
    this.#shares.turnMeasures(now);
    for (const lane of this.#lanes.values()) lane.turn(now);
  }

  /** Forgets lanes that are empty and whose reserved slots have passed, and groups without a lane. */
  sweep(now: EpochMs): void {
    const groups = new Set<unknown>();
    for (const lane of this.#lanes.values()) {
      if (lane.isForgettable(now)) this.#lanes.delete(lane.name);
      else groups.add(lane.share.group);
    }
    this.#shares.sweep((group) => groups.has(group));
  }

  #lane(name: string, now: MonotonicMs, group: string): Lane<E> {
    let lane = this.#lanes.get(name);
    if (lane === undefined) {
      const standing = this.#standingOf?.(name) ?? "proven";
      const share = this.#shares.shareOf(group, standing, now);
      lane = new Lane<E>(name, share, now);
      this.#lanes.set(name, lane);
    }
    return lane;
  }

  #added(lane: Lane<E>): void {
    lane.queued++;
    this.#queued++;
    if (lane.isReady) return;
    this.#lookAt(lane);
    this.#makeReady(lane);
  }

  /** Reads the lane's standing; whether it has changed. */
  #lookAt(lane: Lane<E>): boolean {
    if (this.#standingOf === undefined) return false;
    const standing = this.#standingOf(lane.name);
    if (standing === lane.share.standing.name) return false;
    this.#shares.move(lane, standing);
    return true;
  }

  #makeReady(lane: Lane<E>): void {
    if (lane.isReady || lane.queued === 0 || !this.#hasRoom(lane)) return;
    if (!this.#isThrottled(lane) && this.#goesOn(lane))
      this.#shares.ready(lane);
  }

  #goesOn(lane: Lane<E>): boolean {
    if (this.#mayStart === null) return true;
    return (
      lane.share.standing.name === "proven" &&
      !this.#retired.has(lane.name) &&
      this.#mayStart(lane.name)
    );
  }

  /** Whether the lane's rate limit lets no record start now. */
  #isThrottled(lane: Lane<E>): boolean {
    if (this.#limits === undefined) return false;
    if (lane.throttle !== null) return true;
    const limit = this.#limits.limitOf(lane.name);
    if (limit === undefined) return false;
    const now = this.#limits.now();
    const nextStartAt = limit.nextStartAt();
    if (nextStartAt <= now) return false;
    const until = Math.min(nextStartAt, now + LONGEST_THROTTLE_MS);
    const isFirst = until < this.#throttled.firstUntil;
    const { perSecond } = limit;
    this.#throttled.add(lane, { until, nextStartAt, perSecond });
    if (isFirst) this.#limits.throttledUntil(until);
    return true;
  }

  #hasRoom(lane: Lane<E>): boolean {
    return (
      lane.inFlight === 0 || lane.inFlight < this.#concurrencyOf(lane.name)
    );
  }
}
