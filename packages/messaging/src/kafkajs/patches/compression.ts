/** The compressions that kafkajs 2.2.4 leaves out. A consumer crashes on a batch that uses one of them (docs/kafkajs.md, "Compression"). */
import { createRequire } from "node:module";
import { promisify } from "node:util";
import { zstdCompress, zstdDecompress } from "node:zlib";
import { compressFrame, decompressFrame } from "lz4-napi";
import { compress, uncompress } from "snappy";

interface Codec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
  decompress(bytes: Buffer): Promise<Buffer>;
}

// kafkajs is CommonJS; its table of codecs must be the one that its clients use.
const load = createRequire(import.meta.url);

/** Registers snappy, lz4 and zstd for every client of this process; gzip is built in. Safe to call twice. */
export function registerCompression(): void {
  const { CompressionCodecs, CompressionTypes } = load("kafkajs") as {
    CompressionCodecs: Record<number, () => Codec>;
    CompressionTypes: { Snappy: number; LZ4: number; ZSTD: number };
  };
  CompressionCodecs[CompressionTypes.Snappy] = () => snappyCodec;
  CompressionCodecs[CompressionTypes.LZ4] = () => lz4Codec;
  CompressionCodecs[CompressionTypes.ZSTD] = () => zstdCodec;
}

/** Java frames snappy in xerial's blocks; librdkafka and others write one bare block. Both are read, blocks are written. */
const snappyCodec: Codec = {
  async compress({ buffer }) {
    const parts: Buffer[] = [XERIAL_HEADER];
    for (let i = 0; i < buffer.length; i += XERIAL_BLOCK_BYTES) {
      const block = await compress(buffer.subarray(i, i + XERIAL_BLOCK_BYTES));
      parts.push(int32(block.length), block);
    }
    return Buffer.concat(parts);
  },
  async decompress(bytes) {
    if (bytes.compare(XERIAL_MAGIC, 0, 8, 0, 8) !== 0)
      return bufferOf(await uncompress(bytes));
    const parts: Buffer[] = [];
    for (let i = XERIAL_HEADER.length; i < bytes.length;) {
      const end = i + 4 + bytes.readInt32BE(i);
      if (end <= i || end > bytes.length)
        throw new Error("snappy: a block ends outside of its batch");
      parts.push(bufferOf(await uncompress(bytes.subarray(i + 4, end))));
      i = end;
    }
    return Buffer.concat(parts);
  },
};

const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0]);
const XERIAL_HEADER = Buffer.concat([XERIAL_MAGIC, int32(1), int32(1)]);
const XERIAL_BLOCK_BYTES = 32 * 1024;

const lz4Codec: Codec = {
  compress: ({ buffer }) => compressFrame(buffer),
  decompress: (bytes) => decompressFrame(bytes),
};

const compressZstd = promisify(zstdCompress);
const decompressZstd = promisify(zstdDecompress);

const zstdCodec: Codec = {
  compress: ({ buffer }) => compressZstd(buffer),
  decompress: (bytes) => decompressZstd(bytes),
};

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

/** snappy types its result as text or bytes; without an option it is bytes. */
function bufferOf(result: string | Buffer): Buffer {
  return Buffer.isBuffer(result) ? result : Buffer.from(result, "binary");
}
