import type { UploadShare } from "./upload-budget.ts";

/**
 * Collects the bytes of one body in one buffer that doubles. The arriving pieces are copied and not kept, because each piece
 * is an object of about 200 bytes, and a sender may cut its body into pieces of one byte. Invariant: the share has taken as
 * many bytes as the buffer's capacity.
 */
export class UploadBody {
  readonly #share: Pick<UploadShare, "take">;
  readonly #mostBytes: number;
  #buffer = Buffer.alloc(0);
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

  /** Copies the next piece. False, and nothing is added, if the share has no room for it. */
  add(piece: Uint8Array): boolean {
    const length = this.#length + piece.length;
    if (length > this.#buffer.length && !this.#grow(length)) return false;
    this.#buffer.set(piece, this.#length);
    this.#length = length;
    return true;
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
