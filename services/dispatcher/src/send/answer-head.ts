/**
 * The first bytes of an answer, seen before undici parses them. Two things are needed that undici does not give:
 *
 * - The status of an answer whose head is malformed (both framings, a folded header, a length that is no number). undici
 *   is strict about responses and cannot be told otherwise. It reports the parser's error and not the status it had read
 *   before, and a receiver that said 200 must not get the event again.
 * - Answers behind a `100 Continue` that nobody asked for. undici takes that for an error, though RFC 9110 section 15.2
 *   obliges a client to skip it. So informational heads are taken out here.
 *
 * Invariant: once the status line of the final answer was read, bytes pass unchanged, without being looked at. Before
 * that, at most 16 KiB are held back.
 */
import type { Socket } from "node:net";

const CR = 0x0d;
const LF = 0x0a;
const NOTHING = Buffer.alloc(0);
const MAX_HELD_BYTES = 16_384;
/** `HTTP/1.1 200` and what must follow: a space or the end of the line. */
const STATUS_LINE = /^HTTP\/\d(?:\.\d)? (\d{3})[ \r\n]/;
const LONGEST_STATUS_LINE = 13;
const SWITCHING_PROTOCOLS = 101;

export class AnswerHead {
  #statusCode = 0;
  #hasByte = false;
  #isPassing = true;
  #held: Buffer = NOTHING;

  /** The status line's code once a final one was read, 200 or above; else 0. */
  get statusCode(): number {
    return this.#statusCode;
  }

  /** Whether the receiver has said anything since `expect`. */
  get hasByte(): boolean {
    return this.#hasByte;
  }

  /** A request goes out: the next bytes begin an answer. */
  expect(): void {
    this.#statusCode = 0;
    this.#hasByte = false;
    this.#isPassing = false;
    this.#held = NOTHING;
  }

  /** What undici may see of these bytes now. */
  take(chunk: Buffer): Buffer {
    if (this.#isPassing) return chunk;
    this.#hasByte = true;
    if (this.#held.length === 0) {
      this.#statusCode = plainStatus(chunk);
      if (this.#statusCode !== 0) return this.#pass(chunk);
    }
    let bytes =
      this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    for (;;) {
      const start = lineStart(bytes);
      const line = bytes.toString("latin1", start, start + LONGEST_STATUS_LINE);
      const status = Number(STATUS_LINE.exec(line)?.[1] ?? -1);
      const isInformational =
        status >= 100 && status < 200 && status !== SWITCHING_PROTOCOLS;
      const isUnfinished = status === -1 && mayBecomeStatusLine(line);
      if (!isInformational && !isUnfinished) {
        if (status >= 200) this.#statusCode = status;
        return this.#pass(bytes);
      }
      const end = isInformational ? headEnd(bytes, start) : -1;
      if (end === -1) {
        if (bytes.length > MAX_HELD_BYTES) return this.#pass(bytes);
        this.#held = bytes;
        return NOTHING;
      }
      bytes = bytes.subarray(end);
    }
  }

  #pass(bytes: Buffer): Buffer {
    this.#isPassing = true;
    this.#held = NOTHING;
    return bytes;
  }
}

/** Lets `head` see what is read from `socket`: undici reads by `socket.read()` and by nothing else. */
export function watchAnswers(socket: Socket, head: AnswerHead): void {
  const read = socket.read.bind(socket) as (size?: number) => Buffer | null;
  socket.read = (size?: number): Buffer | null => {
    for (;;) {
      const chunk = read(size);
      if (chunk === null) return null;
      const bytes = head.take(chunk);
      if (bytes.length > 0) return bytes;
    }
  };
}

const HTTP = 0x48545450;
const SLASH_1_1 = 0x2f312e31;

/** The final status of bytes that begin as nearly all answers do, read without making a string; 0: they begin otherwise. */
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

/** NaN where it is none, and then the whole number is. */
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

/** Behind the empty line that ends the head; -1: it has not come yet. Lines may end with LF alone. */
function headEnd(bytes: Buffer, from: number): number {
  let lineEnd = bytes.indexOf(LF, from);
  while (lineEnd !== -1) {
    const next = lineEnd + (bytes[lineEnd + 1] === CR ? 2 : 1);
    if (bytes[next] === LF) return next + 1;
    lineEnd = bytes.indexOf(LF, next);
  }
  return -1;
}
