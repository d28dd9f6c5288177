/**
 * The metadata of a commit. It lists the open offsets in [base, next) as runs; every other offset in that range is done.
 *
 *     base64(body) ~ member tag ~ counter in base 36
 *     body: version (1), or version with DEFLATED when the rest is deflated; then as varints
 *           base · next − base · number of runs · for each run: (its gap since the end of the run before) × 2, plus 1 if it
 *           is longer than one offset; then, only if it is longer, its length − 2
 *
 * The size depends on how many runs are open and not on how far they reach. The tag and the counter identify the commit, so
 * that a member can tell whether the stored value is one that it wrote. The base is repeated in the body, so that metadata
 * that stands beside another offset (a tool changed the offset) is not believed.
 */
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import { METADATA_LIMIT_CHARS } from "../metadata-bytes.ts";

export interface OffsetMetadata {
  /** The committed offset: the lowest open one, or `next`. */
  readonly base: number;
  readonly next: number;
  /** Open offsets, ascending and flat: start, length, start, length, … All within [base, next). */
  readonly runs: readonly number[];
  /** Identifies the member for its lifetime. */
  readonly tag: string;
  /** Grows with every commit of the member. */
  readonly counter: number;
}

const VERSION = 1;
const DEFLATED = 0x80;
/** Below this, deflate saves too few characters to be worth its time. */
const DEFLATE_FROM_BYTES = 512;
const INFLATED_LIMIT_BYTES = 1 << 20;
/** No member keeps more offsets open than this; metadata that lists more is not ours. */
const OPEN_LIMIT = 1 << 20;
const SHAPE = /^([A-Za-z0-9+/]+={0,2})~([A-Za-z0-9_-]{1,32})~([0-9a-z]{1,11})$/;

/**
 * The metadata as text, at most `limitChars` long. If the open runs do not fit, `next` is lowered to the start of the first
 * run that is left out. After a crash records above it that were done are then repeated, but nothing is lost.
 */
export function encodeOffsetMetadata(
  metadata: OffsetMetadata,
  limitChars = METADATA_LIMIT_CHARS,
): string {
  let { next, runs } = metadata;
  for (;;) {
    const text = encodeWhole({ ...metadata, next, runs });
    if (text.length <= limitChars || runs.length === 0) return text;
    const fitting = Math.floor(
      ((runs.length / 2) * limitChars * 0.95) / text.length,
    );
    next = runs[fitting * 2]!;
    runs = runs.slice(0, fitting * 2);
  }
}

/** Decodes the text. Null if it is not ours, is damaged, or belongs to another offset than `committed`. Never throws. */
export function decodeOffsetMetadata(
  text: string,
  committed: number,
): OffsetMetadata | null {
  const parts = SHAPE.exec(text);
  if (parts === null) return null;
  const bytes = inflated(Buffer.from(parts[1]!, "base64"));
  const body = bytes === null ? null : decodeBody(bytes);
  if (body === null || body.base !== committed) return null;
  const counter = Number.parseInt(parts[3]!, 36);
  return { ...body, tag: parts[2]!, counter };
}

function encodeWhole(metadata: OffsetMetadata): string {
  const { base, next, runs, tag, counter } = metadata;
  const bytes: number[] = [];
  writeVarint(bytes, base);
  writeVarint(bytes, next - base);
  writeVarint(bytes, runs.length / 2);
  let end = base;
  for (let i = 0; i < runs.length; i += 2) {
    const start = runs[i]!;
    const length = runs[i + 1]!;
    writeVarint(bytes, (start - end) * 2 + (length > 1 ? 1 : 0));
    if (length > 1) writeVarint(bytes, length - 2);
    end = start + length;
  }
  return `${withVersion(Buffer.from(bytes)).toString("base64")}~${tag}~${counter.toString(36)}`;
}

function withVersion(body: Buffer): Buffer {
  if (body.length >= DEFLATE_FROM_BYTES) {
    const deflated = deflateRawSync(body, {
      // Sequences of gaps do not repeat, so matching them finds nothing; but some bytes are more common than others.
      strategy: constants.Z_HUFFMAN_ONLY,
    });
    if (deflated.length < body.length)
      return Buffer.concat([Buffer.of(VERSION | DEFLATED), deflated]);
  }
  return Buffer.concat([Buffer.of(VERSION), body]);
}

function inflated(bytes: Buffer): Buffer | null {
  if (bytes[0] === VERSION) return bytes.subarray(1);
  if (bytes[0] !== (VERSION | DEFLATED)) return null;
  try {
    return inflateRawSync(bytes.subarray(1), {
      maxOutputLength: INFLATED_LIMIT_BYTES,
    });
  } catch {
    return null;
  }
}

function decodeBody(
  bytes: Buffer,
): Pick<OffsetMetadata, "base" | "next" | "runs"> | null {
  const reader = { bytes, at: 0 };
  const base = readVarint(reader);
  const next = base + readVarint(reader);
  const count = readVarint(reader);
  const runs: number[] = [];
  let end = base;
  let open = 0;
  for (let i = 0; i < count; i++) {
    const head = readVarint(reader);
    const start = end + Math.floor(head / 2);
    const length = head % 2 === 1 ? readVarint(reader) + 2 : 1;
    end = start + length;
    open += length;
    // NaN (the bytes ran out) also fails both comparisons.
    if (!(end <= next) || !(open <= OPEN_LIMIT)) return null;
    runs.push(start, length);
  }
  const isWhole = reader.at === bytes.length && Number.isSafeInteger(next);
  return isWhole && base === (runs[0] ?? next) ? { base, next, runs } : null;
}

function writeVarint(bytes: number[], value: number): void {
  while (value > 0x7f) {
    bytes.push((value % 128) | 0x80);
    value = Math.floor(value / 128);
  }
  bytes.push(value);
}

/** NaN if the bytes run out, or if they are longer than any safe integer needs. */
function readVarint(reader: { bytes: Buffer; at: number }): number {
  let value = 0;
  let scale = 1;
  for (;;) {
    const byte = reader.bytes[reader.at++];
    if (byte === undefined || scale > Number.MAX_SAFE_INTEGER) return NaN;
    value += (byte & 0x7f) * scale;
    if (byte < 0x80) return value;
    scale *= 128;
  }
}
