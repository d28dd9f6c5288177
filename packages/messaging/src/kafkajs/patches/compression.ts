/**
 * Registers with kafkajs 2.2.4 the codecs that it lacks (snappy, lz4, zstd), without which a consumer crashes, and replaces gzip,
 * which it inflates without a limit (docs/kafkajs.md, "Compression"). Fetched record batches do not go through these codecs
 * (record-batch-decoder.ts inflates them itself). What kafkajs producers write does, and so do records from before Kafka 0.11.
 */
import { createRequire } from "node:module";
import { promisify } from "node:util";
import { gzip, zstdCompress } from "node:zlib";
import { compressFrame } from "lz4-napi";
import { compress } from "snappy";
import { inflatedLimit } from "./fetched-records.ts";
import { CODECS, inflate, XERIAL_MAGIC, type Codec } from "./inflate.ts";

interface KafkajsCodec {
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
  decompress(bytes: Buffer): Promise<Buffer>;
}

// kafkajs is CommonJS: load it with `require`, so that its table of codecs is the same object that its clients use.
const load = createRequire(import.meta.url);

/** Registers all of Kafka's codecs for every client of this process. Safe to call twice. */
export function registerCompression(): void {
  const { CompressionCodecs } = load("kafkajs") as {
    CompressionCodecs: Record<number, () => KafkajsCodec>;
  };
  for (const name of Object.keys(COMPRESS) as Codec[]) {
    const codec: KafkajsCodec = {
      compress: ({ buffer }) => COMPRESS[name](buffer),
      decompress: (bytes) => inflate(name, bytes, inflatedLimit(bytes.length)),
    };
    CompressionCodecs[CODECS[name]] = () => codec;
  }
}

const COMPRESS: Readonly<Record<Codec, (bytes: Buffer) => Promise<Buffer>>> = {
  gzip: promisify<Buffer, Buffer>(gzip),
  snappy: compressSnappy,
  lz4: (bytes) => compressFrame(bytes),
  zstd: promisify<Buffer, Buffer>(zstdCompress),
};

/** Compresses into xerial's blocks, as the Java client does. */
async function compressSnappy(bytes: Buffer): Promise<Buffer> {
  const parts: Buffer[] = [XERIAL_HEADER];
  for (let i = 0; i < bytes.length; i += XERIAL_BLOCK_BYTES) {
    const block = await compress(bytes.subarray(i, i + XERIAL_BLOCK_BYTES));
    parts.push(int32(block.length), block);
  }
  return Buffer.concat(parts);
}

const XERIAL_HEADER = Buffer.concat([XERIAL_MAGIC, int32(1), int32(1)]);
const XERIAL_BLOCK_BYTES = 32 * 1024;

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}
