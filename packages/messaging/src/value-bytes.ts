/**
 * A value's bytes: one buffer, or the pieces that are written one behind the other. A long payload stays a piece of its own on
 * its way into Kafka, and is not copied: whoever makes such a value must not change the payload before the value is acknowledged.
 */
export type ValueBytes = Buffer | readonly Buffer[];

/** Bytes of so many or more are not copied into what is written around them. For fewer, a piece of their own costs more than the copy. */
export const PIECE_BYTES = 4096;

export function lengthOf(value: ValueBytes): number {
  if (Buffer.isBuffer(value)) return value.length;
  let length = 0;
  for (const piece of value) length += piece.length;
  return length;
}

/** The value in one buffer: a copy if it is in several pieces. */
export function joined(value: ValueBytes): Buffer {
  return Buffer.isBuffer(value) ? value : Buffer.concat(value);
}
