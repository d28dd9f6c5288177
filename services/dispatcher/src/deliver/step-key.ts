/**
 * The key of a (deliveryId, step): 95 bits, in three words.
 *
 * A deliveryId is already 144 bits of SHA-256 in base64url, so its bits are used as the hash, and nothing is hashed again.
 * An id of another form is hashed. Two different pairs get the same key with a chance of 2^-95. At 10,000 look-ups a second
 * among two million pairs, that wrongly drops one delivery in 60 billion years. (With 64 bits it would be one in 30 years
 * for each process: too often for the promise that nothing vanishes.) A publisher who chooses event ids on purpose can only
 * make ids of their own tenant collide, and needs 2^47 hashes for that.
 */
import { sha256 } from "@postrider/runtime";

export type StepKey = Uint32Array;

const PREFIX = "dlv_";
/** Letters of an id after its prefix: four words of six letters, six bits each. */
const LETTERS = 24;
const LETTERS_A_WORD = 6;
const NO_LETTER = 0xff;

/** The six bits of a base64url letter, indexed by its character code (below 128). */
const BITS = new Uint8Array(128).fill(NO_LETTER);
"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
  .split("")
  .forEach((letter, bits) => (BITS[letter.charCodeAt(0)] = bits));

export function stepKey(): StepKey {
  return new Uint32Array(3);
}

/** Writes the key into `key`. Its last word is never 0: StepTable uses 0 there for a free place. */
export function writeStepKey(
  key: StepKey,
  deliveryId: string,
  step: number,
): void {
  if (!writeId(key, deliveryId)) {
    const hash = sha256(deliveryId);
    const words = new DataView(hash.buffer, hash.byteOffset);
    for (let i = 0; i < key.length; i++) key[i] = words.getUint32(i * 4);
  }
  // The lowest bit is always set, so the step is shifted past it. A step is far below 2^31, so different steps give different keys.
  key[2] = (key[2]! ^ (step << 1)) | 1;
}

/** Writes the id's own bits into the key, folded so that every bit counts. False if the id does not have our form. */
function writeId(key: StepKey, id: string): boolean {
  if (id.length !== PREFIX.length + LETTERS || !id.startsWith(PREFIX))
    return false;
  let at = PREFIX.length;
  let seen = 0;
  let rest = 0;
  for (let i = 3; i >= 0; i--) {
    let word = 0;
    for (const end = at + LETTERS_A_WORD; at < end; at++) {
      const code = id.charCodeAt(at);
      const bits = code < 128 ? BITS[code]! : NO_LETTER;
      seen |= bits;
      word = ((word << 6) | (word >>> 26)) ^ bits;
    }
    if (i === 3) rest = word;
    else key[i] = i === 2 ? word ^ rest : word;
  }
  return (seen & 0xc0) === 0;
}
