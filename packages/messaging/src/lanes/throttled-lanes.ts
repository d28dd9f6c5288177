/**
 * The lanes whose rate limit lets no record start now, by the time at which it does.
 *
 * Invariant: a lane is in the heap exactly while `lane.throttle` is set.
 */
import type { MonotonicMs } from "@postrider/core";

/** The lane's rate limit lets no record start now. */
export interface Throttle {
  /** When the lane is looked at again: at its next start, or earlier. */
  readonly until: MonotonicMs;
  readonly nextStartAt: MonotonicMs;
  readonly perSecond: number;
}

export class ThrottledLanes<L extends { throttle: Throttle | null }> {
  /** A binary heap: no lane is free before its parent, which is at half its index. */
  readonly #heap: { readonly lane: L; readonly until: MonotonicMs }[] = [];

  /** When the first lane is free; Infinity if none is throttled. */
  get firstUntil(): MonotonicMs {
    return this.#heap[0]?.until ?? Infinity;
  }

  get size(): number {
    return this.#heap.length;
  }

  *lanes(): Iterable<L> {
    for (const { lane } of this.#heap) yield lane;
  }

  add(lane: L, throttle: Throttle): void {
    lane.throttle = throttle;
    const heap = this.#heap;
    const added = { lane, until: throttle.until };
    let at = heap.length;
    for (; at > 0; at = (at - 1) >> 1) {
      const parent = heap[(at - 1) >> 1]!;
      if (parent.until <= added.until) break;
      heap[at] = parent;
    }
    heap[at] = added;
  }

  /** Takes the first lane if it is free by now; null if none is. */
  takeFree(now: MonotonicMs): L | null {
    const heap = this.#heap;
    const first = heap[0];
    if (first === undefined || first.until > now) return null;
    const last = heap.pop()!;
    if (heap.length > 0) this.#sink(last);
    first.lane.throttle = null;
    return first.lane;
  }

  /** Puts the element where the first one was, and below those that are free before it. */
  #sink(element: { readonly lane: L; readonly until: MonotonicMs }): void {
    const heap = this.#heap;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right !== undefined && right.until < heap[child]!.until) child++;
      if (heap[child]!.until >= element.until) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = element;
  }
}
