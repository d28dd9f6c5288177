/**
 * Looks at the bytes of an answer before undici parses them, for four things that undici cannot do:
 *
 * - Read the status of an answer whose head is too long or malformed (both content-length and chunked, a folded header, a
 *   length that is not a number). undici is strict and this cannot be configured: it reports the parser's error without the status that
 *   it has read already. But a receiver that has answered 200 must not get the event again.
 * - Skip a `100 Continue` that was not requested. undici treats it as an error, though RFC 9110 section 15.2 requires a
 *   client to skip it. So informational heads (1xx) are removed here.
 * - Bound what an endpoint can send. undici counts headers and body, but not informational answers, empty lines, a reason
 *   phrase, white space around a header's value, or chunk extensions: a flood of these, as fast as it is read, would take
 *   this process's whole thread until the deadline, or for as long as the connection rests.
 * - Stop at too many headers. undici parses a chunk to its end, and beyond its limit it makes an error, with a stack, for each header and
 *   trailer: one answer of 64 KB cost 170 ms of the only thread. So a long answer passes in small pieces, and ends with its socket.
 *
 * Invariant: after the final answer's status line, bytes pass unchanged and unread, and are counted. Before it, at most 16 KiB
 * are held back; of an informational head only the last two bytes.
 */
import { AnswerPace } from "./answer-pace.ts";

const CR = 0x0d;
const LF = 0x0a;
const NOTHING = Buffer.alloc(0);
const MAX_HELD_BYTES = 16_384;
/** How long an answer may be, all in all. The longest body that is read (64 KiB), in chunks of one byte, has 384 KiB. */
const MAX_ANSWER_BYTES = 524_288;
/** `HTTP/1.1 200` followed by a space or the end of the line. */
const STATUS_LINE = /^HTTP\/\d(?:\.\d)? (\d{3})[ \r\n]/;
const LONGEST_STATUS_LINE = 13;
const SWITCHING_PROTOCOLS = 101;
/** So many bytes of an answer pass uncut. They cannot hold more headers than undici takes (`MAX_HEADER_BYTES` in connection.ts). */
const UNCUT_BYTES = 16_384;
/** The rest of a longer answer passes in pieces of this size: some fifty headers at most. */
const PIECE_BYTES = 256;

export class AnswerHead {
  readonly pace = new AnswerPace();
  #statusCode = 0;
  #hasByte = false;
  #isPassing = true;
  #held: Buffer = NOTHING;
  #bytes = 0;
  /** Within an informational head, whose end has not come. */
  #isSkipping = false;
  #uncutBytes = UNCUT_BYTES;

  /** The final status (200 or above) once its status line was read; before that 0. */
  get statusCode(): number {
    return this.#statusCode;
  }

  /** Whether any byte has arrived since `expect`. */
  get hasByte(): boolean {
    return this.#hasByte;
  }

  /** Whether more has arrived since `expect` than any answer needs. */
  get isTooLong(): boolean {
    return this.#bytes > MAX_ANSWER_BYTES;
  }

  /** Call when a request is sent: the next bytes begin an answer. */
  expect(): void {
    this.#statusCode = 0;
    this.#bytes = 0;
    this.#hasByte = false;
    this.#isPassing = false;
    this.#isSkipping = false;
    this.#held = NOTHING;
    this.#uncutBytes = UNCUT_BYTES;
    this.pace.restart();
  }

  /** How many bytes undici may get in one piece. */
  pieceBytes(): number {
    return Math.max(PIECE_BYTES, this.#uncutBytes);
  }

  /** undici gets so many bytes. */
  passed(bytes: number): void {
    this.#uncutBytes -= bytes;
  }

  /** The bytes that undici may read now; empty while bytes are held back or removed. */
  take(chunk: Buffer): Buffer {
    this.#bytes += chunk.length;
    if (this.#isPassing) return chunk;
    this.#hasByte = true;
    if (this.#held.length === 0) {
      this.#statusCode = plainStatus(chunk);
      if (this.#statusCode !== 0) return this.#pass(chunk);
    }
    let bytes =
      this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    for (;;) {
      if (!this.#isSkipping) {
        const start = lineStart(bytes);
        const line = bytes.toString(
          "latin1",
          start,
          start + LONGEST_STATUS_LINE,
        );
        const status = Number(STATUS_LINE.exec(line)?.[1] ?? -1);
        this.#isSkipping =
          status >= 100 && status < 200 && status !== SWITCHING_PROTOCOLS;
        if (!this.#isSkipping) {
          const isUnfinished = status === -1 && mayBecomeStatusLine(line);
          if (isUnfinished && bytes.length <= MAX_HELD_BYTES)
            return this.#hold(bytes);
          if (status >= 200) this.#statusCode = status;
          return this.#pass(bytes);
        }
        bytes = bytes.subarray(start);
      }
      const end = headEnd(bytes);
      // An end that is cut in two begins within the last two bytes.
      if (end === -1) return this.#hold(Buffer.from(bytes.subarray(-2)));
      this.#isSkipping = false;
      bytes = bytes.subarray(end);
    }
  }

  #hold(bytes: Buffer): Buffer {
    this.#held = bytes;
    return NOTHING;
  }

  #pass(bytes: Buffer): Buffer {
    this.#isPassing = true;
    this.#held = NOTHING;
    return bytes;
  }
}

const HTTP = 0x48545450;
const SLASH_1_1 = 0x2f312e31;

/** Fast path: the final status if the bytes begin with a usual `HTTP/1.1 NNN ` line, read without making a string; otherwise 0. */
function plainStatus(bytes: Buffer): number {
  if (bytes.length < LONGEST_STATUS_LINE || bytes[8] !== 0x20) return 0;
  if (bytes.readUInt32BE(0) !== HTTP || bytes.readUInt32BE(4) !== SLASH_1_1)
    return 0;
  const end = bytes[12];
  if (end !== 0x20 && end !== 0x0d && end !== 0x0a) return 0;
  const status =
    digit(bytes[9]) * 100 + digit(bytes[10]) * 10 + digit(bytes[11]);
  return status >= 200 ? status : 0;
}

/** The value of an ASCII digit; NaN for any other byte, which makes the whole status NaN. */
function digit(byte = 0): number {
  return byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : NaN;
}

/** Empty lines may come before a status line. */
function lineStart(bytes: Buffer): number {
  let at = 0;
  while (bytes[at] === CR || bytes[at] === LF) at += 1;
  return at;
}

function mayBecomeStatusLine(line: string): boolean {
  return line.length < 5
    ? "HTTP/".startsWith(line)
    : line.length < LONGEST_STATUS_LINE &&
        line.startsWith("HTTP/") &&
        !/[\r\n]/.test(line);
}

/** The position after the empty line that ends the head; -1 if that line has not arrived yet. Lines may end with LF alone. */
function headEnd(bytes: Buffer): number {
  let lineEnd = bytes.indexOf(LF);
  while (lineEnd !== -1) {
    const next = lineEnd + (bytes[lineEnd + 1] === CR ? 2 : 1);
    if (bytes[next] === LF) return next + 1;
    lineEnd = bytes.indexOf(LF, next);
  }
  return -1;
}
