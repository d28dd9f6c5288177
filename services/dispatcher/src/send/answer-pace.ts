/**
 * Decides when the socket of an answer is left alone for a while. Each read costs the same CPU whether it brings a byte or 64 KB, so an endpoint
 * that sends its answer byte by byte costs a hundred times what others cost. Left alone, its bytes gather in the kernel, and one read takes
 * them all; the answer is known at most `PAUSE_MS` later.
 */
export const PAUSE_MS = 250;
/** So many reads of an answer are always free: the usual answer has one, a long one some ten. */
const FREE_READS = 16;
/** An answer whose reads bring fewer bytes than this, on average, comes in tiny pieces. */
const TINY_BYTES = 64;

export class AnswerPace {
  #reads = 0;
  #bytes = 0;

  /** Call when a request is sent, and when its answer has ended: a resting connection that breaks must be seen at once. */
  restart(): void {
    this.#reads = 0;
    this.#bytes = 0;
  }

  /** One read has brought so many bytes. */
  wasRead(bytes: number): void {
    this.#reads += 1;
    this.#bytes += bytes;
  }

  /** Whether to leave the socket alone for `PAUSE_MS` before the next read. */
  isTiny(): boolean {
    return this.#reads >= FREE_READS && this.#bytes < this.#reads * TINY_BYTES;
  }
}
