/**
 * A hash table from a step's key to the offset of the record that took the step. All in one array of words: 16 bytes a
 * place, no objects.
 *
 * Open addressing with linear probing. A place is free while its third word is 0; no key has 0 there. Entries are never
 * removed one by one: the table is dropped as a whole. It is at most three quarters full, and doubles up to `MAX_PLACES`.
 */
import { randomInt } from "node:crypto";
import type { StepKey } from "./step-key.ts";

const WORDS = 4;
const MIN_PLACES = 64;
/** 4 MiB. Doubling blocks the event loop: about 5 ms for the last doubling. A larger table would block longer. */
const MAX_PLACES = 1 << 18;
const FULLEST = 0.75;
export const BYTES_PER_PLACE = WORDS * 4;

/** Random odd multipliers of this process, so that nobody can choose ids that all start at the same place and make look-ups slow. */
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

  /** Whether the table has reached its largest size: nothing more can be added. */
  get isFull(): boolean {
    return this.#count >= MAX_PLACES * FULLEST;
  }

  /** The key's place, for `offsetAt` and `setOffsetAt`; -1 if the key is not in the table. */
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

  /** Adds a key. The caller has checked that the key is not in the table and that the table is not full. */
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
