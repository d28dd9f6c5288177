/** Requests that kafkajs does not know, in Kafka's own protocol, over kafkajs' connections. */
import { createRequire } from "node:module";
import type { WireBroker } from "./patches/cluster.ts";

const load = createRequire(import.meta.url);

export interface Encoder {
  writeArray(values: readonly string[]): Encoder;
  writeBoolean(value: boolean): Encoder;
  writeBuffer(value: Buffer): Encoder;
  writeString(value: string): Encoder;
  writeInt8(value: number): Encoder;
}

export interface Decoder {
  readInt8(): number;
  readInt16(): number;
  readInt32(): number;
  /** Of kafkajs' own class Long. */
  readInt64(): { toString(): string };
  readString(): string;
  readUVarIntString(): string;
  readBytes(): Buffer;
  readBoolean(): boolean;
  readArray<T>(one: (decoder: Decoder) => T): T[];
  readUVarIntArray<T>(one: (decoder: Decoder) => T): T[];
  readTaggedFields(): unknown;
}

export const Encoder = load(
  "kafkajs/src/protocol/encoder",
) as new () => Encoder;
const Decoder = load("kafkajs/src/protocol/decoder") as new (
  bytes: Buffer,
) => Decoder;

export async function send<T>(
  broker: WireBroker,
  request: {
    readonly apiKey: number;
    readonly apiVersion: number;
    readonly apiName: string;
    readonly body: Encoder;
    decode(answer: Decoder): T;
  },
): Promise<T> {
  const { body, decode, ...head } = request;
  // kafkajs passes on what `parse` returns.
  return (await broker.connectionPool.send({
    request: { ...head, encode: () => Promise.resolve(body) },
    response: {
      decode: (bytes: Buffer) => Promise.resolve(new Decoder(bytes)),
      parse: (answer: Decoder) => Promise.resolve(decode(answer)),
    },
  })) as T;
}
