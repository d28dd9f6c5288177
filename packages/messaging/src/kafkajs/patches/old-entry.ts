/**
 * Decodes records in the formats from before Kafka 0.11 (magic 0 and 1). Brokers no longer take such records, but keep old ones
 * as they were written. kafkajs' own decoder reads them, one entry at a time, with our bounded codecs (compression.ts).
 */
import { createRequire } from "node:module";
import { crc32 } from "@node-rs/crc32";
import type { RawRecord } from "../../record.ts";

// kafkajs is CommonJS: load it with `require`, so that its inner modules are the same instances that its clients use.
const load = createRequire(import.meta.url);

interface OldMessage {
  readonly offset: string;
  /** Absent in magic 0. */
  readonly timestamp?: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
}

type DecodeMessageSet = (
  decoder: object,
  size: number,
) => Promise<OldMessage[]>;

/** From an entry's start: where its checksum is, and where the bytes begin that the checksum covers. */
const CRC_AT = 12;
const CRC_START = 16;

/** Decodes one whole entry: offset, size, message. Throws if the entry is broken. */
export async function decodeOldEntry(
  entry: Buffer,
  { topic, partition }: { readonly topic: string; readonly partition: number },
): Promise<RawRecord[]> {
  if (crc32(entry.subarray(CRC_START)) !== entry.readUInt32BE(CRC_AT))
    throw new Error("its checksum (CRC-32) is wrong");
  const Decoder = load("kafkajs/src/protocol/decoder") as new (
    bytes: Buffer,
  ) => object;
  const decode = load(
    "kafkajs/src/protocol/messageSet/decoder",
  ) as DecodeMessageSet;
  const messages = await decode(new Decoder(entry), entry.length);
  if (messages.length === 0) throw new Error("it holds no whole message");
  return messages.map(({ offset, timestamp, key, value }) => ({
    topic,
    partition,
    offset: Number(offset),
    timestamp: Number(timestamp ?? 0),
    // Copy the bytes: a view would keep the whole fetch in memory for as long as the record.
    key: key === null ? null : Buffer.from(key),
    value: value === null ? null : Buffer.from(value),
    headers: {},
  }));
}
