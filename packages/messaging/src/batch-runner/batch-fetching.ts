/**
 * Decides whether one partition is fetched. It is paused while the table is unavailable or the queue is full, so that memory is
 * bounded however long that lasts.
 */
import type { BatchLimits } from "./partition-host.ts";
import type { BatchQueue } from "./batch-queue.ts";

interface Host {
  readonly limits: Pick<BatchLimits, "queueBytes">;
  pause(): void;
  resume(): void;
  seek(offset: number): void;
}

export class BatchFetching {
  readonly #host: Host;
  readonly #isOver: () => boolean;
  /** Null while the position is not known. */
  #queue: BatchQueue | null = null;
  #isFetching = false;
  #isHeld = false;

  /** `isOver`: the partition has moved to another member, or the runner stops. The consumer is not called then. */
  constructor(host: Host, isOver: () => boolean) {
    this.#host = host;
    this.#isOver = isOver;
  }

  get isFetching(): boolean {
    return this.#isFetching;
  }

  /** Fetching begins at `offset`, into this queue. */
  begin(queue: BatchQueue, offset: number): void {
    this.#queue = queue;
    this.#host.seek(offset);
    this.#isFetching = true;
    this.#isHeld = false;
    this.#host.resume();
  }

  /** The consumer has paused the partition, because the position was outside the log. */
  wasPaused(): void {
    this.#isFetching = false;
    this.regulate();
  }

  /** `isHeld`: the table cannot take the batch, so do not fetch. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    this.regulate();
  }

  /** Pauses fetching until `begin` is called again. */
  end(): void {
    this.#queue = null;
    if (!this.#isOver()) this.#host.pause();
  }

  regulate(): void {
    if (this.#queue === null || this.#isOver()) return;
    const { queueBytes } = this.#host.limits;
    const bound = this.#isFetching ? queueBytes : queueBytes / 2;
    const shouldFetch = !this.#isHeld && this.#queue.bytes < bound;
    if (shouldFetch === this.#isFetching) return;
    this.#isFetching = shouldFetch;
    if (shouldFetch) this.#host.resume();
    else this.#host.pause();
  }
}
