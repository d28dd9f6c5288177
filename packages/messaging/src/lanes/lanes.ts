/**
 * The queues of records that have not started: one per lane.
 *
 * Invariant: a lane is in the ready ring exactly when it has a queued record and, when it was put there, had room for one
 * more in flight. Records of a lane leave in the order they came; ready lanes take turns, one record each, so that no lane
 * waits for another. A lane exists while it holds records, or has slots reserved in the future.
 */
import type { EpochMs, MonotonicMs } from "@postrider/core";
import { CompletionRate } from "./completion-rate.ts";

/** What can stand in a lane's queue. Owners extend it; lane and links belong to `Lanes`. */
export interface Queued<E> {
  lane: Lane<E> | null;
  ahead: E | null;
  behind: E | null;
}

export class Lane<E> {
  readonly name: string;
  oldest: E | null = null;
  newest: E | null = null;
  queued = 0;
  inFlight = 0;
  isReady = false;
  readyBehind: Lane<E> | null = null;
  /** The lane's virtual clock: the next slot that a deferral may reserve. */
  nextSlotAt: EpochMs = 0;

  /** What it completes since it has had a queue: without one it would tell what arrives, not what the lane is able to. */
  readonly #rate: CompletionRate;

  constructor(name: string, now: MonotonicMs) {
    this.name = name;
    this.#rate = new CompletionRate(now);
  }

  get rate(): Pick<CompletionRate, "completedOne" | "restart" | "turn"> {
    return this.#rate;
  }

  /** Completions a second lately; null while it is too early to say. */
  completedPerSecond(now: MonotonicMs): number | null {
    return this.#rate.perSecond(now);
  }

  /** The same, taking what is in flight as just completing: generous, so that a lane is called slow only when it is. */
  ratePerSecond(now: MonotonicMs): number | null {
    return this.#rate.perSecond(now, this.inFlight);
  }
}

export class Lanes<E extends Queued<E>> {
  readonly #concurrencyOf: (lane: string) => number;
  readonly #lanes = new Map<string, Lane<E>>();
  /** Of all lanes together, since there has been a queue. */
  readonly #rate = new CompletionRate(0);
  #queued = 0;
  #inFlight = 0;
  #firstReady: Lane<E> | null = null;
  #lastReady: Lane<E> | null = null;

  /** `concurrencyOf` is read at each start; a lane may always have one in flight. */
  constructor(concurrencyOf: (lane: string) => number) {
    this.#concurrencyOf = concurrencyOf;
  }

  /** Records that have not started. */
  get queued(): number {
    return this.#queued;
  }

  get size(): number {
    return this.#lanes.size;
  }

  get hasReady(): boolean {
    return this.#firstReady !== null;
  }

  all(): IterableIterator<Lane<E>> {
    return this.#lanes.values();
  }

  push(name: string, entry: E, now: MonotonicMs): void {
    const lane = this.#lane(name, now);
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

  /** Back to the head: it started and must start again. */
  pushAhead(name: string, entry: E, now: MonotonicMs): void {
    const lane = this.#lane(name, now);
    entry.lane = lane;
    entry.ahead = null;
    entry.behind = lane.oldest;
    if (lane.oldest === null) lane.newest = entry;
    else lane.oldest.ahead = entry;
    lane.oldest = entry;
    this.#added(lane);
  }

  /** The next record to start, now counted as in flight in its lane; null when no lane is ready. */
  take(): E | null {
    for (;;) {
      const lane = this.#firstReady;
      if (lane === null) return null;
      this.#firstReady = lane.readyBehind;
      if (this.#firstReady === null) this.#lastReady = null;
      lane.readyBehind = null;
      lane.isReady = false;
      // The concurrency may have shrunk since the lane was put into the ring; whoever is in flight puts it back.
      if (lane.oldest === null || !this.#hasRoom(lane)) continue;
      const entry = lane.oldest;
      this.remove(entry);
      entry.lane = lane;
      lane.inFlight++;
      this.#inFlight++;
      this.#putInRing(lane);
      return entry;
    }
  }

  /** A record that was taken is no longer in flight. `isCompleted`: it counts for the lane's rate. */
  settle(lane: Lane<E>, isCompleted: boolean): void {
    lane.inFlight--;
    this.#inFlight--;
    if (isCompleted) {
      lane.rate.completedOne();
      this.#rate.completedOne();
    }
    if (lane.queued > 0) this.#putInRing(lane);
    else if (lane.inFlight === 0 && lane.nextSlotAt === 0)
      this.#lanes.delete(lane.name);
  }

  /** Takes a record that has not started out of its queue. */
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
  }

  /** Takes out every record that has not started and for which `isGone` holds. */
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

  /** As a lane's, of all lanes together. */
  ratePerSecond(now: MonotonicMs): number | null {
    return this.#rate.perSecond(now, this.#inFlight);
  }

  /** Nothing could complete for a while, through no fault of the lanes: they are measured from now on. */
  restartMeasures(now: MonotonicMs): void {
    this.#rate.restart(now);
    for (const lane of this.#lanes.values()) lane.rate.restart(now);
  }

  /** Call each second: rates forget what is too old to count. */
  turnMeasures(now: MonotonicMs): void {
    this.#rate.turn(now);
    for (const lane of this.#lanes.values()) lane.rate.turn(now);
  }

  /** Forgets lanes that are empty and whose reserved slots have passed. */
  sweep(now: EpochMs): void {
    for (const lane of this.#lanes.values())
      if (lane.queued === 0 && lane.inFlight === 0 && lane.nextSlotAt <= now)
        this.#forget(lane);
  }

  #forget(lane: Lane<E>): void {
    // Still in the ring when its last queued record was removed: `take` skips it then, and must find it nowhere else.
    this.#lanes.delete(lane.name);
  }

  #lane(name: string, now: MonotonicMs): Lane<E> {
    let lane = this.#lanes.get(name);
    if (lane === undefined) {
      lane = new Lane<E>(name, now);
      this.#lanes.set(name, lane);
    }
    return lane;
  }

  #added(lane: Lane<E>): void {
    lane.queued++;
    this.#queued++;
    this.#putInRing(lane);
  }

  #putInRing(lane: Lane<E>): void {
    if (lane.isReady || lane.queued === 0 || !this.#hasRoom(lane)) return;
    lane.isReady = true;
    if (this.#lastReady === null) this.#firstReady = lane;
    else this.#lastReady.readyBehind = lane;
    this.#lastReady = lane;
  }

  #hasRoom(lane: Lane<E>): boolean {
    return (
      lane.inFlight === 0 || lane.inFlight < this.#concurrencyOf(lane.name)
    );
  }
}
