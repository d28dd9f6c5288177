/**
 * Encodes the body of a Produce request (versions 3 to 7): first all sizes, then every byte into one buffer, but for long keys and
 * values, which are not copied: they are pieces of the body. kafkajs makes an encoder and several buffers for each record, and
 * computes CRC-32C in JavaScript (docs/kafkajs.md, "Encoding"). Source of the format: Kafka's protocol guide, Produce and Record Batch.
 */
import { crc32c } from "@node-rs/crc32";
import type { RecordHeaders } from "../../record.ts";
import { lengthOf, PIECE_BYTES, type ValueBytes } from "../../value-bytes.ts";

/** A record to be put into a batch. */
export interface BatchRecord {
  readonly key: Buffer | null;
  readonly value: ValueBytes | null;
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

/** Encodes the body, uncompressed, in pieces to be written one behind the other. The first begins with `roomBytes` bytes that are free for what comes before the body. */
export function encodeProduceBody(body: ProduceBody, roomBytes = 0): Buffer[] {
  const sizes = measure(body);
  const to = new Writer(
    Buffer.allocUnsafe(roomBytes + sizes.copied),
    roomBytes,
  );
  to.text16(body.transactionalId);
  to.int16(body.acks);
  to.int32(body.timeoutMs);
  to.int32(body.topics.length);
  for (const { topic, partitions } of body.topics) {
    to.text16(topic);
    to.int32(partitions.length);
    for (const batch of partitions) {
      to.int32(batch.partition);
      writeBatch(to, body, batch, sizes);
    }
  }
  return to.pieces();
}

/** The size of a record batch's header. */
const BATCH_HEADER_BYTES = 61;
/** From the batch's start: where the bytes begin that its CRC covers, and those that its length counts. */
const CRC_START = 21;
const LENGTH_END = 12;
const MAGIC = 2;
const TRANSACTIONAL = 16;

/** The sizes of a body. Batches and records are taken in the order in which they are written. */
interface Sizes {
  /** Of all bytes that are copied: of the body without its long keys and values. */
  copied: number;
  /** Of each batch's records. */
  readonly batches: number[];
  /** Of each record. */
  readonly records: number[];
  batch: number;
  record: number;
}

function measure(body: ProduceBody): Sizes {
  const sizes = { copied: 0, batches: [], records: [], batch: 0, record: 0 };
  const { batches, records }: Sizes = sizes;
  let total = 2 + byteLength(body.transactionalId) + 2 + 4 + 4;
  for (const { topic, partitions } of body.topics) {
    total += 2 + byteLength(topic) + 4;
    for (const { messages } of partitions) {
      let bytes = 0;
      for (let i = 0; i < messages.length; i++) {
        const record = messages[i]!;
        const size = sizeOfRecord(record, i);
        records.push(size);
        bytes += sizeOfVarInt(size) + size;
        total -= leftOut(record.key) + leftOut(record.value);
      }
      batches.push(bytes);
      total += 4 + 4 + BATCH_HEADER_BYTES + bytes;
    }
  }
  sizes.copied = total;
  return sizes;
}

/** How many of the bytes are pieces of the body and not copied. */
function leftOut(bytes: ValueBytes | null): number {
  if (bytes === null) return 0;
  if (Buffer.isBuffer(bytes)) return isPiece(bytes) ? bytes.length : 0;
  return bytes.reduce((sum, each) => sum + leftOut(each), 0);
}

function isPiece({ length }: Buffer): boolean {
  return length >= PIECE_BYTES;
}

function writeBatch(
  to: Writer,
  body: ProduceBody,
  batch: PartitionBatch,
  sizes: Sizes,
): void {
  const { messages } = batch;
  const bytes = BATCH_HEADER_BYTES + sizes.batches[sizes.batch++]!;
  to.int32(bytes);
  const start = to.position;
  to.int64(0n);
  to.int32(bytes - LENGTH_END);
  to.int32(0);
  to.int8(MAGIC);
  to.int32(0);
  const covered = to.begin();
  to.int16(body.transactionalId === null ? 0 : TRANSACTIONAL);
  to.int32(messages.length - 1);
  to.int64(BigInt(body.now));
  to.int64(BigInt(body.now));
  to.int64(body.producerId);
  to.int16(body.producerEpoch);
  to.int32(batch.firstSequence);
  to.int32(messages.length);
  for (let i = 0; i < messages.length; i++) {
    to.varInt(sizes.records[sizes.record++]!);
    to.int8(0);
    to.varInt(0);
    to.varInt(i);
    writeFields(to, messages[i]!);
  }
  to.buffer.writeUInt32BE(to.crcFrom(covered), start + CRC_START - 4);
}

function writeFields(to: Writer, { key, value, headers }: BatchRecord): void {
  to.field(key);
  to.field(value);
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

function sizeOfBytes(bytes: ValueBytes | null): number {
  if (bytes === null) return 1;
  const length = lengthOf(bytes);
  return sizeOfVarInt(length) + length;
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

/** Bytes that are not copied, and the position in the buffer at which they belong. */
interface Piece {
  readonly at: number;
  readonly bytes: Buffer;
}

/** A place in what was written. */
interface Place {
  readonly position: number;
  /** How many pieces are before it. */
  readonly pieces: number;
}

/** Writes one field after another into a buffer of the right size. Long bytes are left out of the buffer. */
class Writer {
  readonly buffer: Buffer;
  position: number;
  readonly #pieces: Piece[] = [];

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

  bytes(bytes: Buffer): void {
    this.varInt(bytes.length);
    this.position += bytes.copy(this.buffer, this.position);
  }

  field(value: ValueBytes | null): void {
    if (value === null) return this.varInt(-1);
    this.varInt(lengthOf(value));
    if (Buffer.isBuffer(value)) this.#piece(value);
    else for (const each of value) this.#piece(each);
  }

  #piece(bytes: Buffer): void {
    if (isPiece(bytes)) this.#pieces.push({ at: this.position, bytes });
    else this.position += bytes.copy(this.buffer, this.position);
  }

  begin(): Place {
    return { position: this.position, pieces: this.#pieces.length };
  }

  /** The CRC-32C of what was written since then, with what was left out. */
  crcFrom({ position, pieces }: Place): number {
    let crc = 0;
    let from = position;
    for (let i = pieces; i < this.#pieces.length; i++) {
      const { at, bytes } = this.#pieces[i]!;
      crc = crc32c(this.buffer.subarray(from, at), crc);
      crc = crc32c(bytes, crc);
      from = at;
    }
    return crc32c(this.buffer.subarray(from, this.position), crc);
  }

  pieces(): Buffer[] {
    const pieces: Buffer[] = [];
    let from = 0;
    for (const { at, bytes } of this.#pieces) {
      pieces.push(this.buffer.subarray(from, at), bytes);
      from = at;
    }
    pieces.push(this.buffer.subarray(from));
    return pieces;
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
