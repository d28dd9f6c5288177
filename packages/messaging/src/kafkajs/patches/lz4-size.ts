/**
 * Computes how large an LZ4 frame is once inflated, from its sequences, without inflating it. This is needed because the library
 * has no limit, and the size that a frame claims may be wrong. Source of the format: LZ4 Frame Format 1.6, LZ4 Block Format.
 */

export interface Lz4Size {
  readonly inflatedBytes: number;
  /** The length of the frame; bytes behind it are not part of it. */
  readonly frameBytes: number;
}

const MAGIC = 0x184d2204;
const UNCOMPRESSED_BLOCK = 0x8000_0000;
const SHORTEST_MATCH = 4;
const LONGER = 15;

/** Stops counting once the size is above the limit; `inflatedBytes` is then too small, but above the limit. Throws if the bytes are not a frame. */
export function lz4Size(bytes: Buffer, limitBytes: number): Lz4Size {
  if (bytes.length < 7 || bytes.readUInt32LE(0) !== MAGIC)
    throw new Error("lz4: no frame begins here");
  const flags = bytes[4]!;
  const hasBlockChecksum = (flags & 0x10) !== 0;
  const hasContentSize = (flags & 0x08) !== 0;
  const hasContentChecksum = (flags & 0x04) !== 0;
  const hasDictionary = (flags & 0x01) !== 0;
  let at = 7 + (hasContentSize ? 8 : 0) + (hasDictionary ? 4 : 0);
  let inflatedBytes = 0;
  for (;;) {
    if (at + 4 > bytes.length) throw new Error("lz4: the frame has no end");
    const header = bytes.readUInt32LE(at);
    at += 4;
    if (header === 0) break;
    const isCompressed = header < UNCOMPRESSED_BLOCK;
    const end = at + (isCompressed ? header : header - UNCOMPRESSED_BLOCK);
    if (end > bytes.length)
      throw new Error("lz4: a block ends outside of its batch");
    inflatedBytes += isCompressed ? sizeOfBlock(bytes, at, end) : end - at;
    if (inflatedBytes > limitBytes) return { inflatedBytes, frameBytes: end };
    at = end + (hasBlockChecksum ? 4 : 0);
  }
  const frameBytes = at + (hasContentChecksum ? 4 : 0);
  return { inflatedBytes, frameBytes };
}

/** The inflated size of one block. A sequence is a token, literals and a match; the last sequence has literals only. */
function sizeOfBlock(bytes: Buffer, start: number, end: number): number {
  let size = 0;
  let at = start;
  /** Reads the rest of a length that did not fit into its token. */
  const longer = (): number => {
    let length = 0;
    let byte: number;
    do {
      if (at >= end) throw new Error("lz4: a length has no end");
      byte = bytes[at++]!;
      length += byte;
    } while (byte === 255);
    return length;
  };
  while (at < end) {
    const token = bytes[at++]!;
    let literals = token >>> 4;
    if (literals === LONGER) literals += longer();
    at += literals;
    size += literals;
    if (at > end) throw new Error("lz4: literals end outside of their block");
    if (at === end) return size;
    at += 2;
    let match = token & 15;
    if (match === LONGER) match += longer();
    size += match + SHORTEST_MATCH;
  }
  if (at > end) throw new Error("lz4: a match ends outside of its block");
  return size;
}
