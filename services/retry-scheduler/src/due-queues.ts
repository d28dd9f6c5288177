/**
 * Waits for thousands of records behind one timer.
 *
 * Invariant: within a queue the due times never fall, so its head is always the next due, and looking at the heads is
 * enough. What is added with an earlier time than the tail waits as long as the tail. Nothing is released before it is
 * due by the monotonic clock; what is due is released in groups, at most every few milliseconds, and the clock is looked
 * at again at least each second.
 */
import type { MonotonicMs } from "@postrider/core";
import type { Clock } from "@postrider/runtime";

/** The process stops: the record is not done, and whoever owns it next holds it again. */
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
  /** Those before it have left. */
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

  /** How many wait. */
  get size(): number {
    return this.#size;
  }

  /** True at or after `dueAt`, and not before those that are ahead in the queue; false when the queue was dropped. Rejects with HoldAbandonedError when given back. */
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

  /** The queue's partition is not ours any more. */
  drop(name: string): void {
    const queue = this.#queues.get(name);
    this.#queues.delete(name);
    for (const waiting of queue?.waiting.slice(queue.head) ?? [])
      if (this.#end(waiting)) waiting.resolve(false);
  }

  /** Nothing is waited for any more, now or later. */
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

  /** Stops the timer; what waits does so until something is added. */
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
    // Compacted when half has left, so that it costs each record once.
    if (queue.head > 64 && queue.head * 2 > queue.waiting.length) {
      queue.waiting.splice(0, queue.head);
      queue.head = 0;
    }
  }

  #abandon(waiting: Waiting): void {
    if (this.#end(waiting)) waiting.reject(abandoned());
  }

  /** False if it is over already. */
  #end(waiting: Waiting): boolean {
    if (waiting.isOver) return false;
    waiting.isOver = true;
    this.#size -= 1;
    return true;
  }

  /** One listener a signal, however many records wait under it. */
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
