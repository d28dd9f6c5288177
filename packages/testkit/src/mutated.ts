import type { Random } from "./seeded-random.ts";

/** Numbers at which code that reads lengths, counts and offsets goes wrong. */
const EDGES = [
  0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fff_ffff, 0x8000_0000,
  0xffff_ffff,
] as const;

/** The bytes with one to six changes: bits, edges of numbers, parts left out, repeated, moved, put in from `others`, cut off. */
export function mutated(
  random: Random,
  bytes: Uint8Array,
  others: readonly Uint8Array[] = [],
): Buffer {
  let made = Buffer.from(bytes);
  for (let left = random.between(1, 6); left > 0; left--)
    made = changed(random, made, others);
  return made;
}

function changed(
  random: Random,
  bytes: Buffer<ArrayBuffer>,
  others: readonly Uint8Array[],
): Buffer<ArrayBuffer> {
  const at = random.between(0, bytes.length);
  const size = random.between(0, Math.min(40, bytes.length - at));
  const before = bytes.subarray(0, at);
  const part = bytes.subarray(at, at + size);
  const after = bytes.subarray(at + size);
  switch (random.between(0, 19)) {
    case 0:
      return Buffer.concat([before, after]);
    case 1:
      return Buffer.concat([before, part, part, after]);
    case 2:
      return before;
    case 3:
      return Buffer.concat([before, randomBytes(random, size), after]);
    case 4:
      return Buffer.concat([before, edge(random), bytes.subarray(at)]);
    case 5:
      return Buffer.concat([before, edge(random), after]);
    case 6: {
      const other = others[random.between(0, others.length - 1)] ?? bytes;
      const from = random.between(0, other.length);
      const piece = other.subarray(from, from + random.between(0, 200));
      return Buffer.concat([before, piece, after]);
    }
    case 7: {
      // Deep nesting and long runs; seldom, because they make the input large.
      const times = random.between(1, 2_000);
      return Buffer.concat([
        before,
        Buffer.concat(Array.from({ length: times }, () => part)),
        after,
      ]);
    }
    default: {
      const made = Buffer.from(bytes);
      if (at < made.length) made[at]! ^= 1 << random.between(0, 7);
      return made;
    }
  }
}

/** A number in one of the ways in which formats write them: big or little endian, in 2, 4 or 8 bytes, as a varint, as digits. */
function edge(random: Random): Buffer {
  const value = random.pick(EDGES) + random.between(-1, 1);
  const bytes = Buffer.alloc(8);
  switch (random.between(0, 4)) {
    case 0:
      bytes.writeBigInt64BE(BigInt(value));
      return bytes.subarray(random.pick([0, 4, 6]));
    case 1:
      bytes.writeBigInt64LE(BigInt(value));
      return bytes.subarray(0, random.pick([2, 4, 8]));
    case 2:
      return Buffer.from(
        random.pick([
          "ffffffffffffffffff01",
          "feffffffffffffffff01",
          "80808080808080808001",
          "ffffffff0f",
          "feffffff1f",
          "fdffffff0f",
        ]),
        "hex",
      );
    case 3:
      return Buffer.from(String(value));
    default:
      return Buffer.from(
        random.pick(["9007199254740991", "1e400", "-0", "1e-400", "-1"]),
      );
  }
}

function randomBytes(random: Random, length: number): Buffer {
  const made = Buffer.alloc(length);
  for (let i = 0; i < length; i++) made[i] = random.between(0, 255);
  return made;
}
