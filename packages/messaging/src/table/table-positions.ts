/** How far each partition of a table has been read, how far it must be read, and who waits for that. No side effects. */
import type { MonotonicMs } from "@postrider/core";
import type { LogRange } from "../ports.ts";

interface Position {
  /** The next offset to read. */
  next: number;
  /** Where the log ended when we began to read it from its start. */
  end: number;
  /** When we asked for `end`. */
  readonly endAskedAt: MonotonicMs;
  /** Raised when the partition is read anew. */
  generation: number;
  isCompleted: boolean;
}

interface Waiter {
  readonly partition: number;
  readonly next: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export class TablePositions {
  readonly #positions = new Map<number, Position>();
  readonly #waiters = new Set<Waiter>();

  partitions(): number[] {
    return [...this.#positions.keys()];
  }

  /** The next offset to read of each partition, as of now. */
  nexts(): Map<number, number> {
    return new Map(
      [...this.#positions].map(([partition, { next }]) => [partition, next]),
    );
  }

  generation(partition: number): number {
    return this.#positions.get(partition)?.generation ?? 0;
  }

  /**
   * Where to go on reading: at the last position, or at the log's start if the position lies outside the log. `isAnew`: the
   * partition is read a second time. `askedAt`: when we asked for the range.
   */
  place(
    { partition, start, end }: LogRange,
    askedAt: MonotonicMs,
  ): {
    readonly offset: number;
    readonly isAnew: boolean;
  } {
    const position = this.#positions.get(partition);
    const isInside =
      position !== undefined && position.next >= start && position.next <= end;
    if (isInside) return { offset: position.next, isAnew: false };
    this.#positions.set(partition, {
      next: start,
      end,
      endAskedAt: askedAt,
      generation: (position?.generation ?? -1) + 1,
      isCompleted: false,
    });
    return { offset: start, isAnew: position !== undefined };
  }

  advance(partition: number, next: number): void {
    const position = this.#positions.get(partition);
    if (position === undefined) return;
    position.next = Math.max(position.next, next);
    for (const waiter of this.#waiters)
      if (waiter.partition === partition && waiter.next <= position.next) {
        this.#waiters.delete(waiter);
        waiter.resolve();
      }
  }

  /** Partitions that have reached their `end` since the last call, with their generation. */
  takeCompleted(): [partition: number, generation: number][] {
    const completed: [number, number][] = [];
    for (const [partition, position] of this.#positions)
      if (!position.isCompleted && position.next >= position.end) {
        position.isCompleted = true;
        completed.push([partition, position.generation]);
      }
    return completed;
  }

  isCompleted(partition: number): boolean {
    return this.#positions.get(partition)?.isCompleted ?? false;
  }

  /** The partitions are known, and each has been read to its `end`. */
  isComplete(): boolean {
    return (
      this.#positions.size > 0 &&
      [...this.#positions.values()].every(({ isCompleted }) => isCompleted)
    );
  }

  /** When we asked for the oldest `end`: what the logs held then has been read once all partitions are complete. */
  endsAskedAt(): MonotonicMs {
    return Math.min(
      ...[...this.#positions.values()].map(({ endAskedAt }) => endAskedAt),
    );
  }

  /** Resolves when the partition's next offset is `next` or higher; rejects when the signal says so. */
  reached(
    partition: number,
    next: number,
    signal?: AbortSignal,
  ): Promise<void> {
    const position = this.#positions.get(partition);
    if (position !== undefined && position.next >= next)
      return Promise.resolve();
    return new Promise((resolve, reject) => {
      const waiter = { partition, next, resolve, reject };
      this.#waiters.add(waiter);
      signal?.addEventListener("abort", () => {
        this.#waiters.delete(waiter);
        reject(signal.reason as Error);
      });
    });
  }

  /** Rejects all waiters. */
  fail(error: Error): void {
    for (const waiter of this.#waiters) waiter.reject(error);
    this.#waiters.clear();
  }
}
