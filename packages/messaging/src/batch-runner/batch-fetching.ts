/**
 * Whether one partition is fetched: not while the table is away or the queue is full, so that memory is bounded however
 * long that lasts; but the range of an intent found at the start is always fetched whole.
 */
import type { PartitionHost } from "./partition-host.ts";
import type { BatchQueue } from "./batch-queue.ts";

type Host = Pick<PartitionHost<never>, "limits" | "pause" | "resume" | "seek">;

export class BatchFetching {
  readonly #host: Host;
  readonly #isOver: () => boolean;
  /** Null: the position is not known. */
  #queue: BatchQueue | null = null;
  #isFetching = false;
  #isHeld = false;
  #gatherTo = -1;

  /** `isOver`: the partition is another's, or its runner stops; nothing is asked of the consumer then. */
  constructor(host: Host, isOver: () => boolean) {
    this.#host = host;
    this.#isOver = isOver;
  }

  get isFetching(): boolean {
    return this.#isFetching;
  }

  /** Reading begins at `offset`, into this queue; `gatherTo` is the last offset of an intent, or -1. */
  begin(queue: BatchQueue, offset: number, gatherTo: number): void {
    this.#queue = queue;
    this.#gatherTo = gatherTo;
    this.#host.seek(offset);
    this.#isFetching = true;
    this.#isHeld = false;
    this.#host.resume();
  }

  /** The intent's range has been read. */
  gathered(): void {
    this.#gatherTo = -1;
  }

  /** The consumer paused it, because the position was outside of the log. */
  wasPaused(): void {
    this.#isFetching = false;
    this.regulate();
  }

  /** The table cannot take the batch; or it can again. */
  hold(isHeld: boolean): void {
    this.#isHeld = isHeld;
    this.regulate();
  }

  /** Until it begins again. */
  end(): void {
    this.#queue = null;
    if (!this.#isOver()) this.#host.pause();
  }

  regulate(): void {
    if (this.#queue === null || this.#isOver()) return;
    const { queueBytes } = this.#host.limits;
    const bound = this.#isFetching ? queueBytes : queueBytes / 2;
    const shouldFetch =
      this.#queue.readTo <= this.#gatherTo ||
      (!this.#isHeld && this.#queue.bytes < bound);
    if (shouldFetch === this.#isFetching) return;
    this.#isFetching = shouldFetch;
    if (shouldFetch) this.#host.resume();
    else this.#host.pause();
  }
}
