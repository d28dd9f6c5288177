/** Makes record batches as bytes, also such as no client would write, and the request that produces one to a broker. */
import { connect } from "node:net";

export interface RawBatch {
  readonly baseOffset?: number;
  readonly codec?: number;
  /** Attribute bits other than the codec. */
  readonly attributes?: number;
  /** The number of records that the batch claims to hold. Default: its real number. */
  readonly count?: number;
  readonly lastOffsetDelta?: number;
  readonly baseTimestamp?: number;
  readonly maxTimestamp?: number;
  readonly producerId?: bigint;
  /** How many records `records` contains. */
  readonly size: number;
  /** The records' bytes, already compressed if `codec` says so. */
  readonly records: Buffer;
}

/** A complete batch (magic 2) with a correct checksum. */
export function rawBatch(batch: RawBatch): Buffer {
  const bytes = Buffer.alloc(61 + batch.records.length);
  const base = batch.baseTimestamp ?? Date.now();
  bytes.writeBigInt64BE(BigInt(batch.baseOffset ?? 0), 0);
  bytes.writeInt32BE(bytes.length - 12, 8);
  bytes[16] = 2;
  bytes.writeInt16BE((batch.codec ?? 0) | (batch.attributes ?? 0), 21);
  bytes.writeInt32BE(batch.lastOffsetDelta ?? batch.size - 1, 23);
  bytes.writeBigInt64BE(BigInt(base), 27);
  bytes.writeBigInt64BE(BigInt(batch.maxTimestamp ?? base), 35);
  bytes.writeBigInt64BE(batch.producerId ?? -1n, 43);
  bytes.writeInt16BE(-1, 51);
  bytes.writeInt32BE(-1, 53);
  bytes.writeInt32BE(batch.count ?? batch.size, 57);
  batch.records.copy(bytes, 61);
  bytes.writeUInt32BE(crc32cOf(bytes.subarray(21)), 17);
  return bytes;
}

export interface RawBatchRecord {
  readonly key?: Buffer | null;
  readonly value?: Buffer | null;
  readonly headers?: readonly (readonly [string, Buffer | null])[];
  readonly timestampDelta?: number;
  /** Default: the record's index in the batch. */
  readonly offsetDelta?: number;
}

/** The records' bytes, uncompressed. */
export function rawRecords(records: readonly RawBatchRecord[]): Buffer {
  const parts: Buffer[] = [];
  records.forEach((record, i) => {
    const body = Buffer.concat([
      Buffer.from([0]),
      varInt(record.timestampDelta ?? 0),
      varInt(record.offsetDelta ?? i),
      sized(record.key ?? null),
      sized(record.value ?? null),
      varInt(record.headers?.length ?? 0),
      ...(record.headers ?? []).flatMap(([name, value]) => [
        sized(Buffer.from(name)),
        sized(value),
      ]),
    ]);
    parts.push(varInt(body.length), body);
  });
  return Buffer.concat(parts);
}

/** Sends a Produce request, version 7 (the first with zstd). Resolves to the broker's answer for the one partition; error code 0 is success. */
export async function produceRaw(
  broker: string,
  to: { readonly topic: string; readonly partition: number },
  batch: Buffer,
): Promise<{ errorCode: number; baseOffset: number }> {
  const [host, port] = broker.split(":");
  const request = Buffer.concat([
    int16(0), // Produce
    int16(7),
    int32(1),
    text("raw"),
    int16(-1), // no transaction
    int16(-1), // all in-sync replicas
    int32(10_000),
    int32(1),
    text(to.topic),
    int32(1),
    int32(to.partition),
    int32(batch.length),
    batch,
  ]);
  const socket = connect({ host: host!, port: Number(port) });
  try {
    socket.write(Buffer.concat([int32(request.length), request]));
    let answer = Buffer.alloc(0);
    for await (const chunk of socket) {
      answer = Buffer.concat([answer, chunk as Buffer]);
      if (answer.length >= 4 && answer.length >= 4 + answer.readInt32BE(0))
        break;
    }
    // Skips size, correlation id, one topic with its name, and one partition with its number.
    const at = 4 + 4 + 4 + 2 + Buffer.byteLength(to.topic) + 4 + 4;
    return {
      errorCode: answer.readInt16BE(at),
      baseOffset: Number(answer.readBigInt64BE(at + 2)),
    };
  } finally {
    socket.destroy();
  }
}

function sized(bytes: Buffer | null): Buffer {
  return bytes === null
    ? varInt(-1)
    : Buffer.concat([varInt(bytes.length), bytes]);
}

/** A Kafka varint of an int32: zigzag, then 7 bits per byte. */
function varInt(value: number): Buffer {
  const bytes: number[] = [];
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}

function int16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function text(value: string): Buffer {
  return Buffer.concat([int16(Buffer.byteLength(value)), Buffer.from(value)]);
}

/** CRC-32C, computed bit by bit. Written again here, so that a test does not depend on the code it tests. */
export function crc32cOf(bytes: Buffer): number {
  let crc = 0xffff_ffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++)
      crc = (crc >>> 1) ^ (crc & 1 ? 0x82f6_3b78 : 0);
  }
  return (crc ^ 0xffff_ffff) >>> 0;
}
