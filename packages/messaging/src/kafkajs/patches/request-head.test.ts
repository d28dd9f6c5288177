import { createRequire } from "node:module";
import { expect, test } from "@jest/globals";
import {
  encoderWithRoom,
  piecesBehind,
  registerRequestHead,
  type Encoder,
} from "./request-head.ts";

const load = createRequire(import.meta.url);
const EncoderClass = load(
  "kafkajs/src/protocol/encoder",
) as new () => Encoder & {
  writeBuffer(bytes: Buffer): Encoder;
};
const createRequest = load("kafkajs/src/protocol/request") as (given: {
  correlationId: number;
  clientId: string;
  request: object;
}) => Promise<Encoder & { readonly buffer: Buffer }>;

async function framed(body: Encoder, clientId = "ingest"): Promise<Buffer> {
  const encode = (): Promise<Encoder> => Promise.resolve(body);
  const request = { apiKey: 0, apiVersion: 7, encode };
  const made = await createRequest({ correlationId: 77, clientId, request });
  // The size of a request is its first field, and does not count itself.
  expect(made.buffer.readInt32BE(0) + 4).toBe(made.size());
  return made.buffer;
}

const BODY = Buffer.from("the body of a request");

function copied(): Encoder {
  return new EncoderClass().writeBuffer(BODY);
}

function roomy(roomBytes: number): { memory: Buffer; body: Encoder } {
  const memory = Buffer.concat([Buffer.alloc(roomBytes), BODY]);
  return { memory, body: encoderWithRoom([memory], roomBytes) };
}

registerRequestHead();

test.each([
  ["enough room", 64, "ingest"],
  ["room that the head fills", 20, "ingest"],
  ["room for a part of the head", 17, "ingest"],
  ["no room", 0, "ingest"],
  ["a client id longer than the room", 64, "c".repeat(500)],
])("a request is the same bytes with %s", async (_, roomBytes, clientId) => {
  const { body } = roomy(roomBytes);

  expect(await framed(body, clientId)).toEqual(
    await framed(copied(), clientId),
  );
});

test.each([
  ["with room", 64],
  ["without room", 3],
])("a body in pieces, %s, is the same bytes", async (_, roomBytes) => {
  const room = Buffer.alloc(roomBytes);
  const pieces = [
    Buffer.concat([room, BODY.subarray(0, 5)]),
    BODY.subarray(5, 9),
    BODY.subarray(9),
  ];

  const first = await framed(encoderWithRoom(pieces, roomBytes));

  expect(Buffer.concat([first, ...piecesBehind(first)])).toEqual(
    await framed(copied()),
  );
});

test("with room the pieces of a request are those of its body, not copied", async () => {
  const pieces = [Buffer.alloc(64), Buffer.from("long"), Buffer.from("longer")];

  const first = await framed(encoderWithRoom(pieces, 64));

  expect(first.buffer).toBe(pieces[0]!.buffer);
  expect(piecesBehind(first)).toEqual(pieces.slice(1));
  expect(piecesBehind(first)[0]).toBe(pieces[1]);
});

test("with room the request is in the memory of its body", async () => {
  const { memory, body } = roomy(64);

  const request = await framed(body);

  expect(request.buffer).toBe(memory.buffer);
});
