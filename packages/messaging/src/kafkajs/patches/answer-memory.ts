/**
 * Memory for long answers, which is used again and again. V8 collects the whole heap after each 64 MB of new buffers, though they lie
 * outside of it, and that costs more than all that is done with the bytes.
 *
 * Whoever has read an answer gives its memory back, once nothing that is kept is a view of it. That of an answer that is never
 * given back goes the way of all memory.
 */

/** A shorter answer gets new memory, and so does a longer one: a fetch asks for 10 MiB at most, and a batch more. */
const SHORTEST_BYTES = 64 << 10;
const LONGEST_BYTES = 12 << 20;
/** Memory is made in multiples of it, so that it fits more answers. */
const STEP_BYTES = 1 << 20;
/** So many pieces are kept at most: a process has few fetches under way that bring much. */
const MOST_KEPT = 2;

/** Ascending by size. */
const kept: Buffer[] = [];
const lent = new WeakMap<ArrayBufferLike, Buffer>();

export function memoryFor(bytes: number): Buffer {
  if (bytes < SHORTEST_BYTES || bytes > LONGEST_BYTES)
    return Buffer.allocUnsafe(bytes);
  const at = kept.findIndex(({ length }) => length >= bytes);
  const [memory = newMemory(bytes)] = at === -1 ? [] : kept.splice(at, 1);
  lent.set(memory.buffer, memory);
  return memory.subarray(0, bytes);
}

/** Nobody reads the answer, or a view of it, any more. */
export function giveBack(answer: Buffer): void {
  const memory = lent.get(answer.buffer);
  if (memory === undefined) return;
  lent.delete(answer.buffer);
  kept.push(memory);
  kept.sort((a, b) => a.length - b.length);
  if (kept.length > MOST_KEPT) kept.shift();
}

function newMemory(bytes: number): Buffer {
  return Buffer.allocUnsafeSlow(Math.ceil(bytes / STEP_BYTES) * STEP_BYTES);
}
