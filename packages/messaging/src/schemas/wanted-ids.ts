/** Each queue holds so many ids at most. At fifty a second that is asked for within 200 s. */
const MOST = 10_000;
/** So far beyond twice the largest known id a new one is still likely. */
const MARGIN = 1000;
/** One in so many requests is for an id that is not likely, while there are likely ones, too. */
const UNLIKELY_TURN = 4;

/**
 * The ids that the registry is to be asked for. A registry counts its ids up, so a new one is a little larger than those that are
 * known, while garbage names numbers of any size. Likely ids go first; among their like, ids go in the order in which they were
 * first wanted. The others still get a share, because the ids of a registry that was imported may be anywhere.
 */
export class WantedIds {
  readonly #likely = new Set<number>();
  readonly #unlikely = new Set<number>();
  #largestKnown = 0;
  #turn = 0;

  get size(): number {
    return this.#likely.size + this.#unlikely.size;
  }

  /** The registry has this id. */
  known(id: number): void {
    this.delete(id);
    this.#largestKnown = Math.max(this.#largestKnown, id);
  }

  /** Beyond its bound an id is not taken: who wants it asks again. */
  add(id: number): void {
    const isLikely = id <= 2 * this.#largestKnown + MARGIN;
    const queue = isLikely ? this.#likely : this.#unlikely;
    if (queue.size < MOST) queue.add(id);
  }

  delete(id: number): void {
    this.#likely.delete(id);
    this.#unlikely.delete(id);
  }

  /** The next one; it stays in the queue. */
  next(): number | undefined {
    const isUnlikelysTurn = ++this.#turn % UNLIKELY_TURN === 0;
    const [first, second] = isUnlikelysTurn
      ? [this.#unlikely, this.#likely]
      : [this.#likely, this.#unlikely];
    const [id] = first.size > 0 ? first : second;
    return id;
  }
}
