/**
 * Encodes values and decodes them. There are two framings, told apart by the first byte: Avro single-object encoding (C3 01 and the
 * schema's CRC-64 fingerprint, little endian) and Confluent's (0 and the registry's id, big endian). How another writer's schema is
 * read into ours is worked out once per fingerprint or id, and kept. Decoding never throws.
 */
import type { Type } from "avsc";
import {
  fingerprintOf,
  misfitOf,
  parseReaderSchema,
  parseWriterSchema,
  readWhole,
  resolverOf,
  type Reader,
  type Writer,
} from "./avro-types.ts";
import { PiecesTap } from "./pieces-tap.ts";
import type { OutRecord, RawRecord, TopicValues } from "../record.ts";
import { recordNameOf, type RecordName } from "./schema-files.ts";
import type { Decoded, Decoder } from "../stage.ts";
import { UnfitValueError } from "../unfit-value-error.ts";
import { joined, PIECE_BYTES, type ValueBytes } from "../value-bytes.ts";

/** Encodes what is sent and decodes what is read. Topic names are without the prefix. */
export interface Codec {
  /** The value's bytes, which share memory with those of other values; a `Buffer` is returned as it is. Throws `UnfitValueError` if the value does not fit its schema. */
  encode(record: OutRecord): Buffer;
  /** As `encode`, but bytes of `PIECE_BYTES` or more in the value are not copied: they are pieces of what is returned. */
  encodeInPieces(record: OutRecord): ValueBytes;
  decoderOf<T extends keyof TopicValues>(topic: T): Decoder<TopicValues[T]>;
}

/** What is known of a writer's schema that is not ours. */
export type WriterSchema =
  | { readonly kind: "found"; readonly json: string }
  /** Not known now. If there is a registry, asking has started a look-up. */
  | {
      readonly kind: "unknown";
      /** The table of schemas may lack some now. */
      readonly isSourceBehind?: true;
    }
  /** Known not to exist, or not to be Avro. */
  | { readonly kind: "absent"; readonly detail: string };

/** The schemas of other writers. Answers at once, from memory. */
export interface WriterSchemas {
  /** By the 16 hexadecimal digits of `fingerprintOf`. */
  byFingerprint(fingerprint: string): WriterSchema;
  /** By a registry's id. */
  byId(id: number): WriterSchema;
}

export interface AvroCodecOptions {
  /** Our schemas as JSON, by record. */
  readonly schemas: ReadonlyMap<RecordName, string>;
  readonly writers: WriterSchemas;
  /** The registry's id of our schema for a topic. Null or absent: values are written in single-object encoding. */
  readonly registryIdOf?: (topic: keyof TopicValues) => number | null;
}

/** How a value is framed, by its first bytes. `other` is anything else (for example JSON), `none` a null value. */
export type Framing = "single_object" | "confluent" | "other" | "none";

/** The framing of a value, for stages that also take other formats than Avro. A value that is too short for its framing still counts as that framing (and is unreadable). */
export function framingOf(value: Buffer | null): Framing {
  if (value === null) return "none";
  if (value[0] === 0xc3 && value[1] === 0x01) return "single_object";
  return value[0] === 0x00 ? "confluent" : "other";
}

export function createAvroCodec(options: AvroCodecOptions): Codec {
  const records = new Map<RecordName, OwnRecord>();
  for (const [name, json] of options.schemas)
    records.set(name, ownRecord(json));
  const recordOf = (topic: keyof TopicValues): OwnRecord => {
    const record = records.get(recordNameOf(topic));
    if (record === undefined) throw new Error(`no schema for topic ${topic}`);
    return record;
  };
  const encoder = createEncoder();
  function encode(record: OutRecord, leastBytes: number): ValueBytes {
    if (Buffer.isBuffer(record.value)) return record.value;
    const own = recordOf(record.topic);
    const id = options.registryIdOf?.(record.topic) ?? null;
    const header = id === null ? own.header : confluentHeader(id);
    try {
      return encoder({ writer: own.writer, header, leastBytes }, record.value);
    } catch (error) {
      // Do not pass on avsc's own error: its message contains the value.
      const misfit = misfitOf(own.type, record.value);
      if (misfit === null) throw error;
      throw new UnfitValueError(record, misfit.field, misfit.rule);
    }
  }

  return {
    encode: (record) => joined(encode(record, Infinity)),
    encodeInPieces: (record) => encode(record, PIECE_BYTES),
    decoderOf<T extends keyof TopicValues>(topic: T) {
      const decode = createDecoder(recordOf(topic), options.writers);
      // The cast is true: the topic's type is generated from the same schema file that is read with here.
      return (record: RawRecord) =>
        decode(record.value) as Decoded<TopicValues[T]>;
    },
  };
}

/** One of our records: its type, the header with which its values begin, and the fingerprint in that header. */
interface OwnRecord {
  readonly type: Type;
  readonly reader: Reader;
  readonly writer: Writer;
  readonly header: Buffer;
  readonly fingerprint: string;
}

function ownRecord(json: string): OwnRecord {
  const type = parseReaderSchema(json);
  const fingerprint = fingerprintOf(type);
  return {
    type,
    // avsc hides `_read` and `_write`; see resolverOf.
    reader: type as unknown as Reader,
    writer: type as unknown as Writer,
    header: Buffer.concat([
      Buffer.of(0xc3, 0x01),
      Buffer.from(fingerprint, "hex").reverse(),
    ]),
    fingerprint,
  };
}

function confluentHeader(id: number): Buffer {
  const header = Buffer.alloc(5);
  header.writeInt32BE(id, 1);
  return header;
}

/** Values share memory of so many bytes; a value larger than a quarter of it gets its own. */
const SLAB_BYTES = 64 << 10;

/** How a value is written. */
interface Written {
  readonly writer: Writer;
  readonly header: Buffer;
  /** Bytes of so many or more are left out (PiecesTap). */
  readonly leastBytes: number;
}

/**
 * Encodes one value behind the other into shared memory, without a copy. So a value that is kept keeps up to `SLAB_BYTES` of
 * others in memory: copy what must outlive its request to the broker.
 */
function createEncoder(): (as: Written, value: unknown) => ValueBytes {
  let slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
  let at = 0;

  /** Encodes into `to` from `from` on. Where the tap stands then is where the value ends, or would end if `to` were large enough. */
  function write(
    to: Buffer,
    from: number,
    ...[{ writer, header, leastBytes }, value]: [Written, unknown]
  ): PiecesTap {
    const tap = new PiecesTap(to, from + header.length, leastBytes);
    writer._write(tap, value);
    if (tap.pos <= to.length) header.copy(to, from);
    return tap;
  }

  return (as, value) => {
    let tap = write(slab, at, as, value);
    if (tap.pos > slab.length) {
      const bytes = tap.pos - at;
      if (bytes > SLAB_BYTES / 4) {
        const own = Buffer.allocUnsafeSlow(bytes);
        return write(own, 0, as, value).piecesFrom(0);
      }
      slab = Buffer.allocUnsafeSlow(SLAB_BYTES);
      at = 0;
      tap = write(slab, at, as, value);
    }
    const encoded = tap.piecesFrom(at);
    at = tap.pos;
    return encoded;
  };
}

/** How values of one writer's schema are read into ours, or why they cannot be read. */
type Resolution =
  { readonly reader: Reader } | { readonly refusal: Decoded<never> };

function createDecoder(
  own: OwnRecord,
  writers: WriterSchemas,
): (value: Buffer | null) => Decoded<unknown> {
  const byFingerprint = new Map<string, Resolution>();
  const byId = new Map<number, Resolution>();

  return (value) => {
    switch (framingOf(value)) {
      case "none":
        return unreadable("the record has no value");
      case "other":
        return unreadable("neither Avro single-object nor Confluent framing");
      case "single_object":
        return readSingleObject(value!);
      case "confluent":
        return readConfluent(value!);
    }
  };

  function readSingleObject(value: Buffer): Decoded<unknown> {
    if (value.length < 10) return unreadable("ends within its header");
    if (value.compare(own.header, 0, 10, 0, 10) === 0)
      return read(own.reader, value, 10);
    const fingerprint = value.readBigUInt64LE(2).toString(16).padStart(16, "0");
    const resolution =
      byFingerprint.get(fingerprint) ??
      resolve(
        writers.byFingerprint(fingerprint),
        `fingerprint ${fingerprint}`,
        (found) => byFingerprint.set(fingerprint, found),
      );
    return "reader" in resolution
      ? read(resolution.reader, value, 10)
      : resolution.refusal;
  }

  function readConfluent(value: Buffer): Decoded<unknown> {
    if (value.length < 5) return unreadable("ends within its header");
    const id = value.readInt32BE(1);
    const resolution =
      byId.get(id) ??
      resolve(writers.byId(id), `registry id ${id}`, (found) =>
        byId.set(id, found),
      );
    return "reader" in resolution
      ? read(resolution.reader, value, 5)
      : resolution.refusal;
  }

  /** Keeps a result that will not change. An absent schema is not kept, because it may be registered later. */
  function resolve(
    writer: WriterSchema,
    schema: string,
    keep: (found: Resolution) => void,
  ): Resolution {
    switch (writer.kind) {
      case "unknown":
        return { refusal: { ...writer, kind: "unknown_schema", schema } };
      case "absent":
        return { refusal: unreadable(writer.detail, "unknown_schema") };
      case "found": {
        const found = resolutionOf(own.type, writer.json);
        keep(found);
        return found;
      }
    }
  }
}

function resolutionOf(reader: Type, writerJson: string): Resolution {
  try {
    return { reader: resolverOf(reader, parseWriterSchema(writerJson)) };
  } catch (error) {
    const detail = `its schema cannot be read as ${reader.name}: ${messageOf(error)}`;
    return { refusal: unreadable(detail) };
  }
}

function read(reader: Reader, value: Buffer, start: number): Decoded<unknown> {
  try {
    return { kind: "decoded", value: readWhole(reader, value, start) };
  } catch (error) {
    return unreadable(messageOf(error));
  }
}

function unreadable(
  detail: string,
  reason: "unreadable" | "unknown_schema" = "unreadable",
): Decoded<never> {
  return { kind: "unreadable", reason, detail };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
