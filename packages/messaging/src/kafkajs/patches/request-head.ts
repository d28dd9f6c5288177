/**
 * Puts the head of a request (its size, API, correlation id and client id) before its body without a copy of the body, which may be
 * in several pieces.
 *
 * kafkajs 2.2.4 writes the head into one encoder and copies the body behind it, then does so again for the size; each time into
 * a new zeroed buffer of the next power of two. A body that was made with room in front of it gets the head written into that
 * room instead. A body without room, or with too little, is copied as before.
 *
 * kafkajs writes an encoder's `buffer` to its socket. That is only the first piece here; the write of the socket adds the others
 * (socket-write.ts).
 */
import { createRequire } from "node:module";

// kafkajs is CommonJS: load it with `require`, so that the patched class is the one that its clients use.
const load = createRequire(import.meta.url);

/** The parts of kafkajs' Encoder that are used: its bytes are `buf` up to `offset`. */
export interface Encoder {
  buf: Buffer;
  offset: number;
  size(): number;
  writeEncoder(value: Encoder): Encoder;
  writeBuffer(bytes: Buffer): Encoder;
}

/** Heads have 14 bytes and the client's id. */
export const HEAD_ROOM_BYTES = 256;

const EncoderClass = load("kafkajs/src/protocol/encoder") as {
  new (size: number): Encoder;
  readonly prototype: Encoder;
};
/** By the first piece of a request: the others. */
const restOf = new WeakMap<Uint8Array, readonly Buffer[]>();

/** What is to be written behind these bytes; nothing unless they are the first piece of a request. */
export function piecesBehind(first: Uint8Array): readonly Buffer[] {
  return restOf.get(first) ?? NONE;
}

const NONE: readonly Buffer[] = [];

/** An encoder of these pieces, the first from `start` on. What is before it may be overwritten, so the encoder can be written once. */
export function encoderWithRoom(
  pieces: readonly Buffer[],
  start: number,
): Encoder {
  const [memory = Buffer.alloc(start), ...rest] = pieces;
  return new RoomyEncoder(memory, start, rest);
}

/** Bytes in memory, from `start` on, with room before them, and further pieces behind them. */
class RoomyEncoder extends EncoderClass {
  readonly #memory: Buffer;
  readonly #start: number;
  readonly #rest: readonly Buffer[];

  constructor(memory: Buffer, start: number, rest: readonly Buffer[]) {
    super(1);
    this.#memory = memory;
    this.#start = start;
    this.#rest = rest;
    this.buf = memory.subarray(start);
    this.offset = this.buf.length;
    if (rest.length > 0) restOf.set(this.buf, rest);
  }

  override size(): number {
    return this.#rest.reduce((sum, { length }) => sum + length, this.offset);
  }

  /** kafkajs would make a new view, of which `piecesBehind` knows nothing. */
  get buffer(): Buffer {
    return this.buf;
  }

  /** The same bytes behind those of `head`; null if there is not so much room. */
  behind(head: Encoder): RoomyEncoder | null {
    const start = this.#start - head.offset;
    if (start < 0) return null;
    head.buf.copy(this.#memory, start, 0, head.offset);
    return new RoomyEncoder(this.#memory, start, this.#rest);
  }

  /** All pieces in one encoder of kafkajs' own kind. */
  copied(): Encoder {
    const bytes = Buffer.concat([this.buf, ...this.#rest]);
    return new EncoderClass(1).writeBuffer(bytes);
  }
}

/** Installs the patch for every client of this process. Call once (patch-kafkajs.ts). */
export function registerRequestHead(): void {
  const { prototype } = EncoderClass;
  const writeEncoder = prototype.writeEncoder;
  prototype.writeEncoder = function (this: Encoder, value: Encoder) {
    if (!(value instanceof RoomyEncoder)) return writeEncoder.call(this, value);
    return value.behind(this) ?? writeEncoder.call(this, value.copied());
  };
}
