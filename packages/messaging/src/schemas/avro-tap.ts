/**
 * Reads Avro's primitives from bytes that cannot be trusted. avsc's own tap checks for the end only after the whole value was read,
 * so with a wrong length or count it allocates and loops first. This one throws at the first missing byte.
 *
 * Bytes are returned as views of the record, without a copy. If you keep a value longer than its record, copy the record first.
 * Depends on internals of avsc 5.7.9, like avro-types.ts.
 */
import { createRequire } from "node:module";

/** avsc's cursor over a buffer; every type reads and writes through its methods. */
export interface Tap {
  buf: Buffer;
  pos: number;
  readLong(): number;
  writeLong(value: number): void;
  skipLong(): void;
  readString(): string;
  writeBytes(bytes: Buffer): void;
}
/** Node's own method for reading UTF-8, which is missing in its types. On short strings it costs half as much as `toString`. */
type Sliceable = Buffer & { utf8Slice(start: number, end: number): string };
type TapClass = new (buf: Buffer, pos: number) => Tap;

const load = createRequire(import.meta.url);
export const { Tap: AvscTap } = load("avsc/lib/utils.js") as { Tap: TapClass };

/** The bytes end before the value does, or contain something that no Avro writer writes. */
export class MalformedError extends Error {
  readonly code = "MALFORMED";
}

/** A tap that never goes back: `#floor` is the position after the last number that was read. So a negative block size cannot make it loop. */
export class CheckedTap extends AvscTap {
  #floor = 0;

  override readLong(): number {
    const { buf } = this;
    if (this.pos < this.#floor) throw new MalformedError("negative size");
    let position = this.pos;
    let byte = buf[position++];
    if (byte === undefined) throw truncated();
    if (byte < 0x80) {
      this.pos = this.#floor = position;
      return (byte >>> 1) ^ -(byte & 1);
    }
    let value = byte & 0x7f;
    let factor = 128;
    let length = 1;
    while (byte & 0x80) {
      byte = buf[position++];
      if (byte === undefined) throw truncated();
      if (++length > 10) throw new MalformedError("number over 64 bits");
      // Use arithmetic, because bit operations would cut at 32 bits. avsc refuses values beyond 2^53.
      value += (byte & 0x7f) * factor;
      factor *= 128;
    }
    this.pos = this.#floor = position;
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  readInt(): number {
    const value = this.readLong();
    if ((value | 0) !== value) throw new MalformedError("int over 32 bits");
    return value;
  }

  override skipLong(): void {
    this.readLong();
  }

  skipInt(): void {
    this.readInt();
  }

  readBoolean(): boolean {
    const byte = this.buf[this.take(1)];
    if (byte !== 0 && byte !== 1) throw new MalformedError("not a boolean");
    return byte === 1;
  }

  skipBoolean(): void {
    this.take(1);
  }

  readFloat(): number {
    return this.buf.readFloatLE(this.take(4));
  }

  skipFloat(): void {
    this.take(4);
  }

  readDouble(): number {
    return this.buf.readDoubleLE(this.take(8));
  }

  skipDouble(): void {
    this.take(8);
  }

  readFixed(length: number): Buffer {
    const start = this.take(length);
    return this.buf.subarray(start, start + length);
  }

  skipFixed(length: number): void {
    this.take(length);
  }

  readBytes(): Buffer {
    return this.readFixed(this.readLong());
  }

  skipBytes(): void {
    this.take(this.readLong());
  }

  override readString(): string {
    const length = this.readLong();
    const start = this.take(length);
    return (this.buf as Sliceable).utf8Slice(start, start + length);
  }

  skipString(): void {
    this.take(this.readLong());
  }

  /** Moves past `length` bytes and returns where they begin. Throws if they are not all there. */
  private take(length: number): number {
    const start = this.pos;
    if (length < 0 || length > this.buf.length - start) throw truncated();
    this.pos = start + length;
    return start;
  }
}

function truncated(): MalformedError {
  return new MalformedError("ends too early");
}
