/**
 * Inflates what a batch carries, for each codec of Kafka's, and never beyond a limit: 2 KB of zstd are 64 MB of zeros. zlib
 * and zstd stop while they inflate; for snappy and lz4 the size is read before, and their libraries write no more than
 * that.
 */
import { unzip, zstdDecompress } from "node:zlib";
import { decompressFrame } from "lz4-napi";
import { uncompress, uncompressSync } from "snappy";
import { lz4Size } from "./lz4-size.ts";

/** Kafka's numbers, as they stand in a batch's attributes. */
export const CODECS = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;

export type Codec = Exclude<keyof typeof CODECS, "none">;

/** By Kafka's number; undefined where it has none. */
export function codecOf(number: number): Codec | "none" | undefined {
  return NAMES[number];
}

const NAMES = ["none", "gzip", "snappy", "lz4", "zstd"] as const;

/** More would come out than is allowed. */
export class InflatedTooLargeError extends Error {
  readonly code = "INFLATED_TOO_LARGE";
}

/** Throws `InflatedTooLargeError`, or whatever the codec says of broken bytes. */
export function inflate(
  codec: Codec,
  bytes: Buffer,
  limitBytes: number,
): Promise<Buffer> {
  switch (codec) {
    case "gzip":
      return byZlib(unzip, bytes, limitBytes);
    case "zstd":
      return byZlib(zstdDecompress, bytes, limitBytes);
    case "lz4":
      return inflateLz4(bytes, limitBytes);
    case "snappy":
      return inflateSnappy(bytes, limitBytes);
  }
}

type ZlibInflate = (
  bytes: Buffer,
  options: { maxOutputLength: number },
  done: (error: Error | null, result: Buffer) => void,
) => void;

function byZlib(
  inflateAll: ZlibInflate,
  bytes: Buffer,
  limitBytes: number,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // It counts what has come out, not what a frame's header claims.
    const maxOutputLength = Math.max(1, limitBytes);
    inflateAll(bytes, { maxOutputLength }, (error, result) => {
      if (error === null) return resolve(result);
      const isTooLarge =
        "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
      reject(isTooLarge ? tooLarge(limitBytes) : error);
    });
  });
}

async function inflateLz4(bytes: Buffer, limitBytes: number): Promise<Buffer> {
  const { inflatedBytes, frameBytes } = lz4Size(bytes, limitBytes);
  if (inflatedBytes > limitBytes) throw tooLarge(limitBytes);
  return decompressFrame(bytes.subarray(0, frameBytes));
}

/** Java frames snappy in xerial's blocks; librdkafka and others write one bare block. Both are read. */
async function inflateSnappy(
  bytes: Buffer,
  limitBytes: number,
): Promise<Buffer> {
  const isFramed = bytes.subarray(0, 8).equals(XERIAL_MAGIC);
  if (!isFramed) {
    if (snappySize(bytes) > limitBytes) throw tooLarge(limitBytes);
    return bufferOf(await uncompress(bytes));
  }
  const parts: Buffer[] = [];
  let size = 0;
  for (let at = XERIAL_HEADER_BYTES; at < bytes.length;) {
    if (at + 4 > bytes.length) throw new Error("snappy: a block has no size");
    const end = at + 4 + bytes.readInt32BE(at);
    if (end < at + 4 || end > bytes.length)
      throw new Error("snappy: a block ends outside of its batch");
    const block = bytes.subarray(at + 4, end);
    size += snappySize(block);
    if (size > limitBytes) throw tooLarge(limitBytes);
    // Blocks are small and may be many: a task of the thread pool for each would cost more than the block.
    parts.push(bufferOf(uncompressSync(block)));
    at = end;
  }
  return Buffer.concat(parts);
}

export const XERIAL_MAGIC = Buffer.from([
  0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0,
]);
/** The magic and two version numbers. */
const XERIAL_HEADER_BYTES = 16;

/** What a bare block says at its beginning; the library refuses a block that gives more or less. */
function snappySize(block: Buffer): number {
  let size = 0;
  for (let i = 0; i < 5 && i < block.length; i++) {
    const byte = block[i]!;
    size += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return size;
  }
  throw new Error("snappy: a block has no size");
}

/** snappy types its result as text or bytes; without an option it is bytes. */
function bufferOf(result: string | Buffer): Buffer {
  return Buffer.isBuffer(result) ? result : Buffer.from(result, "binary");
}

function tooLarge(limitBytes: number): InflatedTooLargeError {
  return new InflatedTooLargeError(`inflates to more than ${limitBytes} bytes`);
}
