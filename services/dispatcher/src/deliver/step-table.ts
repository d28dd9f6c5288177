/**
 * Steps and the offsets that took them, as words in one array: 16 bytes a place, no object for any.
 *
 * Open addressing with linear probing. A place is free while its third word is 0, which no key has. Nothing is removed: the
 * table is dropped as a whole. It is at most three quarters full, and doubles up to `MAX_PLACES`.
 */
import { randomInt } from "node:crypto";
import type { StepKey } from "./step-key.ts";

const WORDS = 4;
const MIN_PLACES = 64;
/** 4 MiB. To double a table takes a moment in which nothing else runs: about 5 ms for the last time. */
const MAX_PLACES = 1 << 18;
const FULLEST = 0.75;
export const BYTES_PER_PLACE = WORDS * 4;

/** Odd, and of this process alone: nobody can choose ids that all begin to search at one place. */
const A = randomInt(2 ** 32) | 1;
const B = randomInt(2 ** 32) | 1;
const C = randomInt(2 ** 32) | 1;

export class StepTable {
  #words = new Uint32Array(MIN_PLACES * WORDS);
  /** 32 less the number of bits of a place. */
  #shift = 32 - Math.log2(MIN_PLACES);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#words.byteLength;
  }

  /** No more can be added. */
  get isFull(): boolean {
    return this.#count >= MAX_PLACES * FULLEST;
  }

  /** Where the key stands, for `offsetAt` and `setOffsetAt`; -1 if it does not. */
  find(key: StepKey): number {
    const words = this.#words;
    const first = key[0]!;
    const second = key[1]!;
    const third = key[2]!;
    for (let at = placeOf(first, second, third, this.#shift) * WORDS; ;) {
      const found = words[at + 2];
      if (found === 0) return -1;
      if (found === third && words[at] === first && words[at + 1] === second)
        return at;
      at = at + WORDS === words.length ? 0 : at + WORDS;
    }
  }

  /** The low 32 bits of the offset. */
  offsetAt(place: number): number {
    return this.#words[place + 3]!;
  }

  setOffsetAt(place: number, offset: number): void {
    this.#words[place + 3] = offset;
  }

  /** The key is not in the table, and the table is not full. */
  add(key: StepKey, offset: number): void {
    const places = this.#words.length / WORDS;
    if (this.#count >= places * FULLEST) this.#double();
    this.#put(key[0]!, key[1]!, key[2]!, offset);
    this.#count++;
  }

  #double(): void {
    const before = this.#words;
    this.#words = new Uint32Array(before.length * 2);
    this.#shift--;
    for (let at = 0; at < before.length; at += WORDS)
      if (before[at + 2] !== 0)
        this.#put(
          before[at]!,
          before[at + 1]!,
          before[at + 2]!,
          before[at + 3]!,
        );
  }

  #put(first: number, second: number, third: number, offset: number): void {
    const words = this.#words;
    let at = placeOf(first, second, third, this.#shift) * WORDS;
    while (words[at + 2] !== 0)
      at = at + WORDS === words.length ? 0 : at + WORDS;
    words[at] = first;
    words[at + 1] = second;
    words[at + 2] = third;
    words[at + 3] = offset;
  }
}

function placeOf(
  first: number,
  second: number,
  third: number,
  shift: number,
): number {
  const sum = Math.imul(first, A) + Math.imul(second, B) + Math.imul(third, C);
  return (sum >>> 0) >>> shift;
}
