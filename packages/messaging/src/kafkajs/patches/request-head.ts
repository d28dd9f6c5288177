/**
 * Puts the head of a request (its size, API, correlation id and client id) before its body without a copy of the body.
 *
 * kafkajs 2.2.4 writes the head into one encoder and copies the body behind it, then does so again for the size; each time into
 * a new zeroed buffer of the next power of two. A body that was made with room in front of it gets the head written into that
 * room instead. A body without room, or with too little, is copied as before.
 */
import { createRequire } from "node:module";

// kafkajs is CommonJS: load it with `require`, so that the patched class is the one that its clients use.
const load = createRequire(import.meta.url);

/** The parts of kafkajs' Encoder that are used: its bytes are `buf` up to `offset`. */
export interface Encoder {
  buf: Buffer;
  offset: number;
  writeEncoder(value: Encoder): Encoder;
}

/** Memory whose bytes from `start` on are an encoder's, and whose bytes before it are free. */
interface Room {
  readonly memory: Buffer;
  readonly start: number;
}

/** Heads have 14 bytes and the client's id. */
export const HEAD_ROOM_BYTES = 256;

const EncoderClass = load("kafkajs/src/protocol/encoder") as {
  new (size: number): Encoder;
  readonly prototype: Encoder;
};
const roomOf = new WeakMap<Encoder, Room>();

/** An encoder of these bytes from `start` on. What is before them may be overwritten, so the encoder can be written once. */
export function encoderWithRoom(memory: Buffer, start: number): Encoder {
  return within(new EncoderClass(1), { memory, start });
}

/** Installs the patch for every client of this process. Call once (patch-kafkajs.ts). */
export function registerRequestHead(): void {
  const { prototype } = EncoderClass;
  const writeEncoder = prototype.writeEncoder;
  prototype.writeEncoder = function (this: Encoder, value: Encoder) {
    const room = roomOf.get(value);
    if (room === undefined || this.offset > room.start)
      return writeEncoder.call(this, value);
    const start = room.start - this.offset;
    this.buf.copy(room.memory, start, 0, this.offset);
    return within(this, { memory: room.memory, start });
  };
}

function within(encoder: Encoder, room: Room): Encoder {
  encoder.buf = room.memory.subarray(room.start);
  encoder.offset = encoder.buf.length;
  roomOf.set(encoder, room);
  return encoder;
}
