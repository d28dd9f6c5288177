/** Writes Avro, and leaves long bytes out instead of copying them. Depends on internals of avsc 5.7.9, like avro-tap.ts. */
import { AvscTap } from "./avro-tap.ts";
import type { ValueBytes } from "../value-bytes.ts";

/** Bytes that were left out, and the position at which they belong. */
interface LeftOut {
  readonly at: number;
  readonly bytes: Buffer;
}

/** A tap whose `pos` counts only what is written. */
export class PiecesTap extends AvscTap {
  readonly #leastBytes: number;
  #leftOut: LeftOut[] | null = null;

  /** Bytes of `leastBytes` or more are left out. */
  constructor(buf: Buffer, pos: number, leastBytes: number) {
    super(buf, pos);
    this.#leastBytes = leastBytes;
  }

  override writeBytes(bytes: Buffer): void {
    if (bytes.length < this.#leastBytes) return super.writeBytes(bytes);
    this.writeLong(bytes.length);
    (this.#leftOut ??= []).push({ at: this.pos, bytes });
  }

  /** What was written from `start` on, with what was left out. */
  piecesFrom(start: number): ValueBytes {
    if (this.#leftOut === null) return this.buf.subarray(start, this.pos);
    const pieces: Buffer[] = [];
    let from = start;
    for (const { at, bytes } of this.#leftOut) {
      pieces.push(this.buf.subarray(from, at), bytes);
      from = at;
    }
    if (from < this.pos) pieces.push(this.buf.subarray(from, this.pos));
    return pieces;
  }
}
