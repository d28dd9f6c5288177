/** Bytes that grow while they are written. Numbers are little-endian, as ClickHouse's format Native has them. */
export class BlockBytes {
  #bytes: Buffer;
  #view: DataView;
  #at = 0;

  constructor(capacity: number) {
    this.#bytes = Buffer.allocUnsafeSlow(Math.max(capacity, MIN_CAPACITY));
    this.#view = viewOf(this.#bytes);
  }

  /** What was written. Later writes may change it. */
  written(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  /** Makes room for `count` bytes more. */
  #reserve(count: number): void {
    const needed = this.#at + count;
    if (needed <= this.#bytes.length) return;
    const grown = Buffer.allocUnsafeSlow(
      Math.max(needed, this.#bytes.length * 2),
    );
    grown.set(this.written());
    this.#bytes = grown;
    this.#view = viewOf(grown);
  }

  uint8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#at++] = value;
  }

  /** A whole number from -2^31 to 2^31 - 1. Throws a TypeError for anything else, which would be written as another number. */
  int32(value: number): void {
    if ((value | 0) !== value) throw new TypeError("it is no Int32");
    this.#reserve(4);
    this.#view.setInt32(this.#at, value, true);
    this.#at += 4;
  }

  /** A whole number whose absolute value is below 2^53. Throws a TypeError for anything else. */
  int64(value: number): void {
    if (!Number.isSafeInteger(value))
      throw new TypeError("it is no safe integer");
    this.#reserve(8);
    this.#view.setUint32(this.#at, value >>> 0, true);
    this.#view.setInt32(this.#at + 4, Math.floor(value / 2 ** 32), true);
    this.#at += 8;
  }

  /** A whole number from 0 to 2^32 - 1, seven bits a byte (LEB128). */
  varUInt(value: number): void {
    this.#reserve(MAX_VAR_BYTES);
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#at++] = rest;
  }

  /** The length and the bytes. */
  bytes(value: Uint8Array): void {
    this.varUInt(value.length);
    this.#reserve(value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  /** The length and the text as UTF-8. */
  text(value: string): void {
    if (value.length <= SHORT && this.#shortAscii(value)) return;
    const size = Buffer.byteLength(value);
    this.varUInt(size);
    this.#reserve(size);
    this.#bytes.write(value, this.#at);
    this.#at += size;
  }

  /** Most of our texts are ids and words: for these a loop is faster than two calls into Node. False if the text is not ASCII; nothing is written then. */
  #shortAscii(value: string): boolean {
    const { length } = value;
    this.#reserve(length + 1);
    const bytes = this.#bytes;
    const start = this.#at + 1;
    for (let n = 0; n < length; n++) {
      const code = value.charCodeAt(n);
      if (code > 0x7f) return false;
      bytes[start + n] = code;
    }
    bytes[this.#at] = length;
    this.#at = start + length;
    return true;
  }
}

const MIN_CAPACITY = 64;
const MAX_VAR_BYTES = 5;
/** The length of a text that is no longer than this takes one byte. */
const SHORT = 40;

function viewOf({ buffer, byteOffset, byteLength }: Buffer): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
