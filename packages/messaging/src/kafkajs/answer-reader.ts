/**
 * Reads what a broker sends, each answer into one piece of memory (patches/answer-memory.ts). An answer begins with its size, so that
 * memory is known at once, and the socket writes into it.
 *
 * Without this Node puts what each read brings into a new buffer, and kafkajs copies these together once the answer is complete.
 */
import type { OnReadOpts, Socket } from "node:net";
import { memoryFor } from "./patches/answer-memory.ts";

/** The answer's size, which it does not count itself. */
const SIZE_BYTES = 4;
/** No broker sends as much at once: a fetch asks for 10 MiB, and one record may be larger. What is no broker claims more: the alert of a TLS listener 352 MB, the first letters of `HTTP` 1.2 GB. */
const LARGEST_BYTES = 256 << 20;
/** Room for the answers to all but fetches. */
const HEAD_BYTES = 16 << 10;

export class AnswerReader {
  /** Takes what comes while no answer is under way. Used again and again. */
  readonly #head = Buffer.allocUnsafeSlow(HEAD_BYTES);
  /** The answer of which a part has come; null between two answers. */
  #answer: Buffer | null = null;
  /** So many bytes of the answer, or else of the head, have come. */
  #filled = 0;

  /** Where what comes next must be written, from its start on. Never empty, also after an error: Node would ask for room without an end. */
  room(): Buffer {
    return (this.#answer ?? this.#head).subarray(this.#filled);
  }

  /** So many bytes were written to `room()`. Returns the answers that are complete by them, each with its size before it. Throws a RangeError if they cannot be answers; what comes after that is lost. */
  take(bytes: number): Buffer[] {
    this.#filled += bytes;
    const answer = this.#answer;
    if (answer === null) return this.#takeHead();
    if (this.#filled < answer.length) return [];
    this.#answer = null;
    this.#filled = 0;
    return [answer];
  }

  #takeHead(): Buffer[] {
    const head = this.#head;
    const end = this.#filled;
    const answers: Buffer[] = [];
    let at = 0;
    this.#filled = 0;
    while (end - at >= SIZE_BYTES) {
      const answer = memoryFor(SIZE_BYTES + sizeAt(head, at));
      const copied = head.copy(answer, 0, at, end);
      at += copied;
      if (copied < answer.length) {
        this.#answer = answer;
        this.#filled = copied;
        return answers;
      }
      answers.push(answer);
    }
    head.copyWithin(0, at, end);
    this.#filled = end - at;
    return answers;
  }
}

function sizeAt(bytes: Buffer, at: number): number {
  const size = bytes.readInt32BE(at);
  if (size < 0 || size > LARGEST_BYTES)
    throw new RangeError(`${size} bytes are no answer of a Kafka broker`);
  return size;
}

/** A socket that emits each answer as one `data`, with its size before it. `open` must pass its argument on to `net.connect` or `tls.connect`. */
export function readingAnswers(open: (onread: OnReadOpts) => Socket): Socket {
  const reader = new AnswerReader();
  const socket = open({
    buffer: () => reader.room(),
    callback: (bytes) => {
      try {
        for (const answer of reader.take(bytes)) socket.emit("data", answer);
        return true;
      } catch (error) {
        // It sends no answers, or one that kafkajs cannot take apart.
        socket.destroy(error as Error);
        return false;
      }
    },
  });
  return socket;
}
