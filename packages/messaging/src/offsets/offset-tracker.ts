/**
 * Which offsets of one partition are done.
 *
 * Invariant: an offset below `next` is done unless its bit is set; nothing at or above `next` is done. The bits are kept in
 * blocks of 1,024. A block exists while one of its bits is set. The blocks are in ascending order, because offsets are opened
 * in ascending order and a Map keeps the order of insertion.
 *
 * So opening and closing an offset costs the same in whatever order records complete; a commit reads the open offsets 32 at
 * a time; and an offset that stays open for long costs one block, however many offsets come after it.
 */
const BLOCK_BITS = 1024;
const WORD_BITS = 32;

interface Block {
  readonly words: Uint32Array;
  openCount: number;
}

export class OffsetTracker {
  #next: number;
  readonly #blocks = new Map<number, Block>();
  #openCount = 0;
  #runCount = 0;

  /** Starts with nothing open: everything below `next` is done. */
  constructor(next: number) {
    this.#next = next;
  }

  /** One past the highest offset seen. */
  get next(): number {
    return this.#next;
  }

  /** The lowest open offset, or `next` if none is open. This is the offset that a commit carries. */
  get base(): number {
    for (const [number, { words }] of this.#blocks)
      for (let i = 0; i < words.length; i++)
        if (words[i] !== 0)
          return number * BLOCK_BITS + i * WORD_BITS + lowestBit(words[i]!);
    return this.#next;
  }

  get openCount(): number {
    return this.#openCount;
  }

  /** How many unbroken runs of open offsets there are. The size of the metadata depends on it. */
  get runCount(): number {
    return this.#runCount;
  }

  isOpen(offset: number): boolean {
    const number = Math.floor(offset / BLOCK_BITS);
    const words = this.#blocks.get(number)?.words;
    if (words === undefined) return false;
    const bit = offset - number * BLOCK_BITS;
    return (words[bit >>> 5]! & (1 << (bit & 31))) !== 0;
  }

  /** Opens an offset at or above `next`. Offsets that it skips do not exist in the log, and count as done. */
  open(offset: number): void {
    if (offset < this.#next)
      throw new RangeError(
        `offset ${offset} lies below the next one, ${this.#next}`,
      );
    const number = Math.floor(offset / BLOCK_BITS);
    let block = this.#blocks.get(number);
    if (block === undefined) {
      block = { words: new Uint32Array(BLOCK_BITS / WORD_BITS), openCount: 0 };
      this.#blocks.set(number, block);
    }
    const bit = offset - number * BLOCK_BITS;
    block.words[bit >>> 5]! |= 1 << (bit & 31);
    block.openCount++;
    if (!this.isOpen(offset - 1)) this.#runCount++;
    this.#openCount++;
    this.#next = offset + 1;
  }

  /** Raises `next`: every offset below it that is not open is done. A lower `next` changes nothing. */
  advance(next: number): void {
    if (next > this.#next) this.#next = next;
  }

  /** Marks the offset as done. False if it was done already. */
  close(offset: number): boolean {
    if (!this.isOpen(offset)) return false;
    const number = Math.floor(offset / BLOCK_BITS);
    const block = this.#blocks.get(number)!;
    const bit = offset - number * BLOCK_BITS;
    block.words[bit >>> 5]! &= ~(1 << (bit & 31));
    block.openCount--;
    if (block.openCount === 0) this.#blocks.delete(number);
    const touchesLower = this.isOpen(offset - 1);
    const touchesHigher = this.isOpen(offset + 1);
    if (touchesLower && touchesHigher) this.#runCount++;
    else if (!touchesLower && !touchesHigher) this.#runCount--;
    this.#openCount--;
    return true;
  }

  /** The open offsets as runs, ascending and flat: start, length, start, length, … */
  runs(): number[] {
    const runs: number[] = [];
    for (const [number, { words }] of this.#blocks)
      for (let i = 0; i < words.length; i++)
        addRuns(runs, number * BLOCK_BITS + i * WORD_BITS, words[i]!);
    return runs;
  }
}

/** Adds the runs of one word's bits. A run that begins where the last one ended lengthens that one. */
function addRuns(runs: number[], wordOffset: number, word: number): void {
  let rest = word;
  while (rest !== 0) {
    const from = lowestBit(rest);
    const gap = ~(rest >>> from);
    const length = gap === 0 ? WORD_BITS : lowestBit(gap);
    const start = wordOffset + from;
    const last = runs.length - 2;
    if (last >= 0 && runs[last]! + runs[last + 1]! === start)
      runs[last + 1]! += length;
    else runs.push(start, length);
    // In JavaScript a shift by 32 is a shift by 0.
    rest = from + length >= WORD_BITS ? 0 : rest & (-1 << (from + length));
  }
}

/** The index of the lowest set bit. `word` must not be 0. */
function lowestBit(word: number): number {
  return 31 - Math.clz32(word & -word);
}
