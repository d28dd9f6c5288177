/**
 * Encodes the body of a Produce request (versions 3 to 7): first all sizes, then every byte into one buffer. kafkajs makes an
 * encoder and several buffers for each record, and computes CRC-32C in JavaScript (docs/kafkajs.md, "Encoding").
 * Source of the format: Kafka's protocol guide, Produce and Record Batch.
 */
import { crc32c } from "@node-rs/crc32";
import type { RecordHeaders } from "../../record.ts";

/** A record to be put into a batch. */
export interface BatchRecord {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers?: RecordHeaders | undefined;
}

/** The record batch for one partition. */
export interface PartitionBatch {
  readonly partition: number;
  /** The idempotent producer's sequence number of the first record. */
  readonly firstSequence: number;
  readonly messages: readonly BatchRecord[];
}

export interface ProduceBody {
  readonly transactionalId: string | null;
  readonly acks: number;
  readonly timeoutMs: number;
  readonly producerId: bigint;
  readonly producerEpoch: number;
  /** The timestamp of every record; the broker's own replaces it on LogAppendTime topics. */
  readonly now: number;
  readonly topics: readonly {
    readonly topic: string;
    readonly partitions: readonly PartitionBatch[];
  }[];
}

/** Encodes the body, uncompressed. The result begins with `roomBytes` bytes that are free for what comes before the body. */
export function encodeProduceBody(body: ProduceBody, roomBytes = 0): Buffer {
  const sizes: number[] = [];
  const bytes = roomBytes + measure(body, sizes);
  const to = new Writer(Buffer.allocUnsafe(bytes), roomBytes);
  to.text16(body.transactionalId);
  to.int16(body.acks);
  to.int32(body.timeoutMs);
  to.int32(body.topics.length);
  let part = 0;
  let record = partsOf(body);
  for (const { topic, partitions } of body.topics) {
    to.text16(topic);
    to.int32(partitions.length);
    for (const batch of partitions) {
      to.int32(batch.partition);
      record = writeBatch(to, body, batch, sizes, part++, record);
    }
  }
  return to.buffer;
}

/** The size of a record batch's header. */
const BATCH_HEADER_BYTES = 61;
/** From the batch's start: where the bytes begin that its CRC covers, and those that its length counts. */
const CRC_START = 21;
const LENGTH_END = 12;
const MAGIC = 2;
const TRANSACTIONAL = 16;

/** The size of the whole body. Appends to `sizes` first the size of each batch's records, then the size of each single record, in order. */
function measure(body: ProduceBody, sizes: number[]): number {
  let total = 2 + byteLength(body.transactionalId) + 2 + 4 + 4;
  const records: number[] = [];
  for (const { topic, partitions } of body.topics) {
    total += 2 + byteLength(topic) + 4;
    for (const { messages } of partitions) {
      let bytes = 0;
      for (let i = 0; i < messages.length; i++) {
        const size = sizeOfRecord(messages[i]!, i);
        records.push(size);
        bytes += sizeOfVarInt(size) + size;
      }
      sizes.push(bytes);
      total += 4 + 4 + BATCH_HEADER_BYTES + bytes;
    }
  }
  for (const size of records) sizes.push(size);
  return total;
}

function partsOf(body: ProduceBody): number {
  return body.topics.reduce((n, { partitions }) => n + partitions.length, 0);
}

/** Writes one batch. `sizes[part]` is the size of its records; the sizes of single records begin at `sizes[record]`. Returns the index at which those of the next batch begin. */
function writeBatch(
  to: Writer,
  body: ProduceBody,
  batch: PartitionBatch,
  sizes: readonly number[],
  part: number,
  record: number,
): number {
  const { messages } = batch;
  const bytes = BATCH_HEADER_BYTES + sizes[part]!;
  to.int32(bytes);
  const start = to.position;
  to.int64(0n);
  to.int32(bytes - LENGTH_END);
  to.int32(0);
  to.int8(MAGIC);
  to.int32(0);
  to.int16(body.transactionalId === null ? 0 : TRANSACTIONAL);
  to.int32(messages.length - 1);
  to.int64(BigInt(body.now));
  to.int64(BigInt(body.now));
  to.int64(body.producerId);
  to.int16(body.producerEpoch);
  to.int32(batch.firstSequence);
  to.int32(messages.length);
  for (let i = 0; i < messages.length; i++) {
    to.varInt(sizes[record++]!);
    to.int8(0);
    to.varInt(0);
    to.varInt(i);
    writeFields(to, messages[i]!);
  }
  const crc = crc32c(to.buffer.subarray(start + CRC_START, to.position));
  to.buffer.writeUInt32BE(crc, start + CRC_START - 4);
  return record;
}

function writeFields(to: Writer, { key, value, headers }: BatchRecord): void {
  to.bytes(key);
  to.bytes(value);
  if (headers === undefined) return to.varInt(0);
  to.varInt(countOf(headers));
  for (const name in headers) {
    const values = headers[name]!;
    for (const each of Buffer.isBuffer(values) ? [values] : values) {
      to.text(name);
      to.bytes(each);
    }
  }
}

function sizeOfRecord(
  { key, value, headers }: BatchRecord,
  offsetDelta: number,
): number {
  // Attributes and timestamp delta take a byte each.
  let size =
    2 + sizeOfVarInt(offsetDelta) + sizeOfBytes(key) + sizeOfBytes(value);
  if (headers === undefined) return size + 1;
  size += sizeOfVarInt(countOf(headers));
  for (const name in headers) {
    const values = headers[name]!;
    const nameBytes = Buffer.byteLength(name);
    for (const each of Buffer.isBuffer(values) ? [values] : values)
      size += sizeOfVarInt(nameBytes) + nameBytes + sizeOfBytes(each);
  }
  return size;
}

/** A repeated name counts once for each of its values. */
function countOf(headers: RecordHeaders): number {
  let count = 0;
  for (const name in headers) {
    const values = headers[name]!;
    count += Buffer.isBuffer(values) ? 1 : values.length;
  }
  return count;
}

function sizeOfBytes(bytes: Buffer | null): number {
  return bytes === null ? 1 : sizeOfVarInt(bytes.length) + bytes.length;
}

/** How many bytes a number of 0 or more takes, zigzag encoded. */
function sizeOfVarInt(value: number): number {
  if (value < 0x40) return 1;
  if (value < 0x2000) return 2;
  if (value < 0x100000) return 3;
  return value < 0x8000000 ? 4 : 5;
}

function byteLength(text: string | null): number {
  return text === null ? 0 : Buffer.byteLength(text);
}

/** Writes one field after another into a buffer of the right size. */
class Writer {
  readonly buffer: Buffer;
  position: number;

  constructor(buffer: Buffer, position: number) {
    this.buffer = buffer;
    this.position = position;
  }

  int8(value: number): void {
    this.buffer[this.position++] = value;
  }

  int16(value: number): void {
    this.position = this.buffer.writeInt16BE(value, this.position);
  }

  int32(value: number): void {
    this.position = this.buffer.writeInt32BE(value, this.position);
  }

  int64(value: bigint): void {
    this.position = this.buffer.writeBigInt64BE(value, this.position);
  }

  /** Zigzag, 7 bits a byte. `value` lies in -1 to 2^31 - 1. */
  varInt(value: number): void {
    let rest = ((value << 1) ^ (value >> 31)) >>> 0;
    while (rest > 0x7f) {
      this.buffer[this.position++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.buffer[this.position++] = rest;
  }

  bytes(bytes: Buffer | null): void {
    if (bytes === null) return this.varInt(-1);
    this.varInt(bytes.length);
    this.position += bytes.copy(this.buffer, this.position);
  }

  text(text: string): void {
    this.varInt(Buffer.byteLength(text));
    this.position += this.buffer.write(text, this.position);
  }

  text16(text: string | null): void {
    this.int16(text === null ? -1 : Buffer.byteLength(text));
    if (text !== null) this.position += this.buffer.write(text, this.position);
  }
}
