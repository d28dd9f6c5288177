/** Which partition a key belongs to. The same as in the Java client, so that every producer puts a key into the same partition. */

/** MurmurHash2 with Kafka's seed, as a signed 32-bit integer. Source: org.apache.kafka.common.utils.Utils.murmur2. */
export function murmur2(key: Uint8Array): number {
  const { length } = key;
  const M = 0x5bd1e995;
  let hash = 0x9747b28c ^ length;
  const whole = length & ~3;
  for (let i = 0; i < whole; i += 4) {
    let k =
      key[i]! | (key[i + 1]! << 8) | (key[i + 2]! << 16) | (key[i + 3]! << 24);
    k = Math.imul(k, M);
    k = Math.imul(k ^ (k >>> 24), M);
    hash = Math.imul(hash, M) ^ k;
  }
  const rest = length & 3;
  if (rest === 3) hash ^= key[whole + 2]! << 16;
  if (rest >= 2) hash ^= key[whole + 1]! << 8;
  if (rest >= 1) hash = Math.imul(hash ^ key[whole]!, M);
  hash = Math.imul(hash ^ (hash >>> 13), M);
  return hash ^ (hash >>> 15);
}

/** The partition of a key among `partitions`; 0-based. */
export function partitionOf(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions;
}

/** A key's bytes and hash. */
export interface HashedKey {
  readonly bytes: Buffer;
  readonly hash: number;
}

export function hashedKey(key: string | Buffer): HashedKey {
  const bytes = typeof key === "string" ? Buffer.from(key, "utf8") : key;
  return { bytes, hash: murmur2(bytes) };
}

/** Caches the bytes and hashes of text keys, because they repeat: an endpoint's id is the key of all its records. */
export class KeyHashes {
  readonly #known = new Map<string, HashedKey>();
  readonly #limit: number;

  /** `limit`: how many keys are kept. When one more comes, all are forgotten. */
  constructor(limit = 10_000) {
    this.#limit = limit;
  }

  of(key: string | Buffer): HashedKey {
    if (typeof key !== "string") return hashedKey(key);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const hashed = hashedKey(key);
    if (this.#known.size >= this.#limit) this.#known.clear();
    this.#known.set(key, hashed);
    return hashed;
  }
}
