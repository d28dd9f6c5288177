/**
 * A timer wheel: one timer for the deadlines of all attempts.
 *
 * Invariant: from `add` until it expires or is removed, a deadline is linked into exactly one bucket: the first that is
 * turned at or after its `dueAt`. So a deadline never expires early, and is late by at most one tick plus the timer's own
 * delay. Adding and removing cost a few pointer writes; nothing is allocated per attempt.
 */
import type { MonotonicMs } from "@postrider/core";
import type { Clock } from "@postrider/runtime";

/** An entry of the wheel. The `wheel…` fields belong to the wheel: initialise the links with `null` and the bucket with -1. */
export interface Deadline {
  dueAt: MonotonicMs;
  wheelBucket: number;
  wheelPrevious: Deadline | null;
  wheelNext: Deadline | null;
  /** Called once, at or after `dueAt`, unless removed before. Must not throw. */
  onDeadline(): void;
}

const NOT_LINKED = -1;
const EXPIRING = -2;

export class DeadlineWheel {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #tickMs: number;
  readonly #buckets: (Deadline | null)[];
  #turnedTo: number;
  #size = 0;
  #timer: NodeJS.Timeout | null = null;

  /** `tickMs` bounds the lateness. One round is `buckets` × `tickMs`; a longer deadline stays linked for several rounds. */
  constructor(
    clock: Pick<Clock, "monotonic">,
    { tickMs = 10, buckets = 2_048 } = {},
  ) {
    this.#clock = clock;
    this.#tickMs = tickMs;
    this.#buckets = Array.from<Deadline | null>({ length: buckets }).fill(null);
    this.#turnedTo = Math.floor(clock.monotonic() / tickMs);
  }

  /** How many deadlines are linked. */
  get size(): number {
    return this.#size;
  }

  add(deadline: Deadline, dueAt: MonotonicMs): void {
    this.remove(deadline);
    if (this.#size === 0) this.#wake();
    deadline.dueAt = dueAt;
    const tick = Math.max(Math.ceil(dueAt / this.#tickMs), this.#turnedTo + 1);
    this.#link(deadline, tick % this.#buckets.length);
  }

  /** Safe for a deadline that is not linked. */
  remove(deadline: Deadline): void {
    const bucket = deadline.wheelBucket;
    deadline.wheelBucket = NOT_LINKED;
    if (bucket >= 0) this.#unlink(deadline, bucket);
  }

  /** Expires everything that is due now. The timer calls it at each tick. */
  turn(): void {
    const now = this.#clock.monotonic();
    const target = Math.floor(now / this.#tickMs);
    const rounds = Math.min(target - this.#turnedTo, this.#buckets.length);
    const expired: Deadline[] = [];
    for (let back = rounds - 1; back >= 0; back -= 1) {
      this.#collect((target - back) % this.#buckets.length, now, expired);
    }
    if (rounds > 0) this.#turnedTo = target;
    for (const deadline of expired) {
      if (deadline.wheelBucket !== EXPIRING) continue;
      deadline.wheelBucket = NOT_LINKED;
      deadline.onDeadline();
    }
    if (this.#size === 0) this.stop();
  }

  /** Stops the timer. Linked deadlines then do not expire until `add` starts it again. */
  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #wake(): void {
    this.#turnedTo = Math.floor(this.#clock.monotonic() / this.#tickMs);
    this.#timer ??= setInterval(() => this.turn(), this.#tickMs);
  }

  #collect(bucket: number, now: MonotonicMs, into: Deadline[]): void {
    let deadline = this.#buckets[bucket] ?? null;
    while (deadline !== null) {
      const next = deadline.wheelNext;
      if (deadline.dueAt <= now) {
        this.#unlink(deadline, bucket);
        deadline.wheelBucket = EXPIRING;
        into.push(deadline);
      }
      deadline = next;
    }
  }

  #link(deadline: Deadline, bucket: number): void {
    const first = this.#buckets[bucket] ?? null;
    deadline.wheelBucket = bucket;
    deadline.wheelPrevious = null;
    deadline.wheelNext = first;
    if (first !== null) first.wheelPrevious = deadline;
    this.#buckets[bucket] = deadline;
    this.#size += 1;
  }

  #unlink(deadline: Deadline, bucket: number): void {
    const { wheelPrevious: previous, wheelNext: next } = deadline;
    if (previous === null) this.#buckets[bucket] = next;
    else previous.wheelNext = next;
    if (next !== null) next.wheelPrevious = previous;
    deadline.wheelPrevious = null;
    deadline.wheelNext = null;
    this.#size -= 1;
  }
}
