/**
 * Which offsets of one partition are done.
 *
 * Invariant: an offset below `next` is done unless it is in the list of open ones; nothing at or above `next` is done.
 * The list ascends, so its first is the lowest open offset: the base that a commit names. The open offsets are nodes of a
 * linked list which the owner keeps, so that opening and closing cost a few pointer writes in whatever order records
 * complete, and nothing depends on how far the open ones reach.
 */

/** One open offset. Owners extend it with what they know of the record; the links belong to the tracker. */
export class OpenOffset {
  readonly offset: number;
  isOpen = false;
  lower: OpenOffset | null = null;
  higher: OpenOffset | null = null;

  constructor(offset: number) {
    this.offset = offset;
  }
}

export class OffsetTracker {
  #next: number;
  #lowest: OpenOffset | null = null;
  #highest: OpenOffset | null = null;
  #openCount = 0;
  #runCount = 0;

  /** Nothing is open; everything below `next` is done. */
  constructor(next: number) {
    this.#next = next;
  }

  /** One past the highest offset seen. */
  get next(): number {
    return this.#next;
  }

  /** The lowest open offset, or `next`: what a commit names. */
  get base(): number {
    return this.#lowest === null ? this.#next : this.#lowest.offset;
  }

  get openCount(): number {
    return this.#openCount;
  }

  /** How many unbroken runs of open offsets there are: what the metadata's size depends on. */
  get runCount(): number {
    return this.#runCount;
  }

  /** Opens an offset at or above `next`. Offsets that it skips do not exist in the log, and count as done. */
  open(entry: OpenOffset): void {
    if (entry.offset < this.#next)
      throw new RangeError(
        `offset ${entry.offset} lies below the next one, ${this.#next}`,
      );
    const highest = this.#highest;
    entry.isOpen = true;
    entry.lower = highest;
    entry.higher = null;
    if (highest === null) this.#lowest = entry;
    else highest.higher = entry;
    if (highest === null || highest.offset !== entry.offset - 1)
      this.#runCount++;
    this.#highest = entry;
    this.#openCount++;
    this.#next = entry.offset + 1;
  }

  /** Everything below `next` has been seen: what is not open there is done. Never goes back. */
  advance(next: number): void {
    if (next > this.#next) this.#next = next;
  }

  /** The offset is done. False if it was already. */
  close(entry: OpenOffset): boolean {
    if (!entry.isOpen) return false;
    const { lower, higher } = entry;
    if (lower === null) this.#lowest = higher;
    else lower.higher = higher;
    if (higher === null) this.#highest = lower;
    else higher.lower = lower;
    const touchesLower = lower !== null && lower.offset === entry.offset - 1;
    const touchesHigher = higher !== null && higher.offset === entry.offset + 1;
    if (touchesLower && touchesHigher) this.#runCount++;
    else if (!touchesLower && !touchesHigher) this.#runCount--;
    entry.isOpen = false;
    entry.lower = null;
    entry.higher = null;
    this.#openCount--;
    return true;
  }

  /** Puts `entry` in the place of an open one of the same offset. */
  replace(old: OpenOffset, entry: OpenOffset): void {
    if (!old.isOpen || old.offset !== entry.offset)
      throw new RangeError(
        `offset ${entry.offset} does not replace an open one`,
      );
    entry.isOpen = true;
    entry.lower = old.lower;
    entry.higher = old.higher;
    if (old.lower === null) this.#lowest = entry;
    else old.lower.higher = entry;
    if (old.higher === null) this.#highest = entry;
    else old.higher.lower = entry;
    old.isOpen = false;
    old.lower = null;
    old.higher = null;
  }

  /** The open offsets as runs, ascending and flat: start, length, start, length, … */
  runs(): number[] {
    const runs: number[] = [];
    let entry = this.#lowest;
    while (entry !== null) {
      const start = entry.offset;
      let end = start;
      entry = entry.higher;
      while (entry !== null && entry.offset === end + 1) {
        end = entry.offset;
        entry = entry.higher;
      }
      runs.push(start, end - start + 1);
    }
    return runs;
  }
}
