/**
 * Inflates the records of a batch, for each codec of Kafka, and never beyond a limit: 2 KB of zstd can be 64 MB of zeros. gzip
 * and zstd stop at the limit while they inflate. For snappy and lz4 the inflated size is read first; their libraries write no
 * more than that.
 */
import { unzip, zstdDecompress } from "node:zlib";
import { decompressFrame } from "lz4-napi";
import { uncompress, uncompressSync } from "snappy";
import { lz4Size } from "./lz4-size.ts";

/** Kafka's numbers of the codecs, as in a batch's attributes. */
export const CODECS = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const;

export type Codec = Exclude<keyof typeof CODECS, "none">;

/** The codec with this number; undefined if Kafka has none. */
export function codecOf(number: number): Codec | "none" | undefined {
  return NAMES[number];
}

const NAMES = ["none", "gzip", "snappy", "lz4", "zstd"] as const;

/** The bytes inflate to more than the limit. */
export class InflatedTooLargeError extends Error {
  readonly code = "INFLATED_TOO_LARGE";
}

/** Inflates the bytes. Rejects with `InflatedTooLargeError`, or with the codec's own error for broken bytes. */
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
    // This limits the bytes that really come out, whatever size a frame's header claims.
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

/** The Java client writes snappy in xerial's blocks; librdkafka and others write one bare block. Both are read. */
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
    // Blocks are small and there may be many: a thread-pool task for each would cost more than inflating the block.
    parts.push(bufferOf(uncompressSync(block)));
    at = end;
  }
  return Buffer.concat(parts);
}

export const XERIAL_MAGIC = Buffer.from([
  0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0,
]);
/** The header is the magic and two version numbers. */
const XERIAL_HEADER_BYTES = 16;

/** The inflated size that a bare block names at its beginning. The library refuses a block that inflates to more or less. */
function snappySize(block: Buffer): number {
  let size = 0;
  for (let i = 0; i < 5 && i < block.length; i++) {
    const byte = block[i]!;
    size += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return size;
  }
  throw new Error("snappy: a block has no size");
}

/** snappy types its result as a string or a Buffer; without an option it is a Buffer. */
function bufferOf(result: string | Buffer): Buffer {
  return Buffer.isBuffer(result) ? result : Buffer.from(result, "binary");
}

function tooLarge(limitBytes: number): InflatedTooLargeError {
  return new InflatedTooLargeError(`inflates to more than ${limitBytes} bytes`);
}
