import type { UploadShare } from "./upload-budget.ts";

const NO_BYTES = Buffer.alloc(0);

/**
 * Collects the bytes of one body in one buffer that doubles. The arriving pieces are copied and not kept, because each piece
 * is an object of about 200 bytes, and a sender may cut its body into pieces of one byte. A piece that is the whole body, as most
 * are, is that buffer itself. Invariant: the share has taken as many bytes as the buffer's capacity.
 */
export class UploadBody {
  readonly #share: Pick<UploadShare, "take">;
  readonly #mostBytes: number;
  #buffer: Buffer = NO_BYTES;
  #length = 0;

  /** `mostBytes`: the body is never longer. */
  constructor(share: Pick<UploadShare, "take">, mostBytes: number) {
    this.#share = share;
    this.#mostBytes = mostBytes;
  }

  /** How many bytes have arrived. */
  get length(): number {
    return this.#length;
  }

  /** The bytes that have arrived. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Copies the next piece, or keeps it if it is all. False, and nothing is added, if the share has no room for it. */
  add(piece: Buffer): boolean {
    const length = this.#length + piece.length;
    if (this.#isWhole(piece)) {
      if (!this.#share.take(length)) return false;
      this.#buffer = piece;
      this.#length = length;
      return true;
    }
    if (length > this.#buffer.length && !this.#grow(length)) return false;
    this.#buffer.set(piece, this.#length);
    this.#length = length;
    return true;
  }

  /** And most of the memory that it keeps is its own. */
  #isWhole({ length, buffer }: Buffer): boolean {
    const isAll = this.#length === 0 && length === this.#mostBytes;
    return isAll && 2 * length >= buffer.byteLength;
  }

  #grow(atLeast: number): boolean {
    const doubled = Math.min(2 * this.#buffer.length, this.#mostBytes);
    const room = Math.max(atLeast, doubled);
    if (!this.#share.take(room - this.#buffer.length)) return false;
    // Not from node's pool, of which a few bytes would hold 8 KiB.
    const grown = Buffer.allocUnsafeSlow(room);
    grown.set(this.bytes);
    this.#buffer = grown;
    return true;
  }
}
