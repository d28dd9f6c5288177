import type { UploadShare } from "./upload-budget.ts";

const NO_BYTES = Buffer.alloc(0);

/**
 * Collects the bytes of one body in one buffer that doubles. The arriving pieces are copied and not kept, because each piece
 * is an object of about 200 bytes, and a sender may cut its body into pieces of one byte. A piece that is the whole body, as most
 * are, is that buffer itself. Invariant: the share has taken at least as many bytes as the buffer's capacity.
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

  /**
   * The bytes that have arrived; called once, at the end. The events are views of them and keep them until Kafka has
   * acknowledged the events, and what waits for Kafka is counted by its length: so spare room is left behind.
   */
  takeBytes(): Buffer {
    if (!isMostOf(this.#length, this.#buffer.length))
      this.#buffer = copyOf(this.#arrived, this.#length);
    return this.#arrived;
  }

  get #arrived(): Buffer {
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
    return isAll && isMostOf(length, buffer.byteLength);
  }

  #grow(atLeast: number): boolean {
    const doubled = Math.min(2 * this.#buffer.length, this.#mostBytes);
    const room = Math.max(atLeast, doubled);
    if (!this.#share.take(room - this.#buffer.length)) return false;
    this.#buffer = copyOf(this.#arrived, room);
    return true;
  }
}

/** Whether a buffer is at most half as large again as what it holds. */
function isMostOf(length: number, capacity: number): boolean {
  return 3 * length >= 2 * capacity;
}

function copyOf(bytes: Buffer, room: number): Buffer {
  // Not from node's pool, of which a few bytes would hold 8 KiB.
  const copy = Buffer.allocUnsafeSlow(room);
  copy.set(bytes);
  return copy;
}
