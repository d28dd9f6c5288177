/**
 * Lets thousands of records wait behind a single timer.
 *
 * Invariant: due times never decrease within a queue. So the head of each queue is its next due record, and only the heads
 * are looked at. A record added with an earlier due time than the tail gets the tail's. No record is released before it is
 * due by the monotonic clock. Due records are released in groups, at most one group every few milliseconds, and the clock
 * is read again at least every second.
 */
import type { MonotonicMs } from "@postrider/core";
import type { Clock } from "@postrider/runtime";

/** The process is stopping: the record is not done, and the partition's next owner will hold it again. */
export class HoldAbandonedError extends Error {
  override readonly name = "HoldAbandonedError";
  readonly code = "HOLD_ABANDONED";
}

interface Waiting {
  dueAt: MonotonicMs;
  isOver: boolean;
  readonly resolve: (isDue: boolean) => void;
  readonly reject: (error: Error) => void;
}

interface Queue {
  readonly waiting: Waiting[];
  /** Index of the first entry that still waits; the entries before it have been released. */
  head: number;
}

const GROUP_MS = 5;
const LONGEST_SLEEP_MS = 1_000;

export class DueQueues {
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #queues = new Map<string, Queue>();
  readonly #bySignal = new WeakMap<AbortSignal, Set<Waiting>>();
  #timer: NodeJS.Timeout | null = null;
  #wakeAt: MonotonicMs = Infinity;
  #size = 0;
  #isGivenBack = false;

  constructor(clock: Pick<Clock, "monotonic">) {
    this.#clock = clock;
  }

  /** How many records wait. */
  get size(): number {
    return this.#size;
  }

  /**
   * Resolves to true at or after `dueAt`, and not before the entries ahead in the queue; to false when the queue is dropped.
   * Rejects with HoldAbandonedError after `giveBack`, or when the signal is aborted.
   */
  async wait(
    name: string,
    dueAt: MonotonicMs,
    signal: AbortSignal,
  ): Promise<boolean> {
    if (signal.aborted || this.#isGivenBack) throw abandoned();
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    const waiting: Waiting = { dueAt, isOver: false, resolve, reject };
    this.#push(name, waiting);
    this.#watch(signal, waiting);
    this.#wakeBy(waiting.dueAt);
    try {
      return await promise;
    } finally {
      this.#bySignal.get(signal)?.delete(waiting);
    }
  }

  /** Ends all waits of a queue, because its partition is no longer ours. */
  drop(name: string): void {
    const queue = this.#queues.get(name);
    this.#queues.delete(name);
    for (const waiting of queue?.waiting.slice(queue.head) ?? [])
      if (this.#end(waiting)) waiting.resolve(false);
  }

  /** Ends all waits; later ones are rejected at once. */
  giveBack(): void {
    this.#isGivenBack = true;
    this.stop();
    const queues = [...this.#queues.values()];
    this.#queues.clear();
    for (const { waiting } of queues)
      for (const each of waiting) this.#abandon(each);
  }

  /** Releases what is due now. The timer calls it. */
  turn(): void {
    const now = this.#clock.monotonic();
    let next: MonotonicMs = Infinity;
    for (const [name, queue] of this.#queues) {
      this.#release(queue, now);
      const head = queue.waiting[queue.head];
      if (head === undefined) this.#queues.delete(name);
      else next = Math.min(next, head.dueAt);
    }
    this.stop();
    if (next !== Infinity) this.#wakeBy(next);
  }

  /** Stops the timer. Records that wait are released only after the next `wait` or `turn`. */
  stop(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#wakeAt = Infinity;
  }

  #push(name: string, waiting: Waiting): void {
    let queue = this.#queues.get(name);
    if (queue === undefined) {
      queue = { waiting: [], head: 0 };
      this.#queues.set(name, queue);
    }
    const tail = queue.waiting.at(-1);
    if (tail !== undefined) waiting.dueAt = Math.max(waiting.dueAt, tail.dueAt);
    queue.waiting.push(waiting);
    this.#size += 1;
  }

  #release(queue: Queue, now: MonotonicMs): void {
    for (;;) {
      const head = queue.waiting[queue.head];
      if (head === undefined || (!head.isOver && head.dueAt > now)) break;
      queue.head += 1;
      if (this.#end(head)) head.resolve(true);
    }
    // Removed entries are cut off only when they are half of the array, so that the cost per record is constant.
    if (queue.head > 64 && queue.head * 2 > queue.waiting.length) {
      queue.waiting.splice(0, queue.head);
      queue.head = 0;
    }
  }

  #abandon(waiting: Waiting): void {
    if (this.#end(waiting)) waiting.reject(abandoned());
  }

  /** Returns false if the wait has already ended. */
  #end(waiting: Waiting): boolean {
    if (waiting.isOver) return false;
    waiting.isOver = true;
    this.#size -= 1;
    return true;
  }

  /** Adds one listener per signal, however many records wait with it: a signal gets slower with every listener. */
  #watch(signal: AbortSignal, waiting: Waiting): void {
    let under = this.#bySignal.get(signal);
    if (under === undefined) {
      const created = new Set<Waiting>();
      signal.addEventListener(
        "abort",
        () => {
          for (const each of created) this.#abandon(each);
        },
        { once: true },
      );
      this.#bySignal.set(signal, created);
      under = created;
    }
    under.add(waiting);
  }

  #wakeBy(dueAt: MonotonicMs): void {
    if (dueAt >= this.#wakeAt) return;
    const inMs = Math.ceil(dueAt - this.#clock.monotonic());
    const sleepMs = Math.min(Math.max(inMs, GROUP_MS), LONGEST_SLEEP_MS);
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#wakeAt = dueAt;
    this.#timer = setTimeout(() => this.turn(), sleepMs);
  }
}

function abandoned(): HoldAbandonedError {
  return new HoldAbandonedError("the record was given back before it was due");
}
