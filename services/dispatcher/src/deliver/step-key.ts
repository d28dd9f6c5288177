/**
 * The key of a (deliveryId, step): 95 bits, in three words.
 *
 * A deliveryId is 144 bits of SHA-256 in base64url, so its own bits are the hash, and nothing is computed. An id of another
 * form is hashed. Two different pairs meet in one key with a chance of 2^-95: at 10,000 look-ups a second among two million
 * pairs that is one wrongly dropped delivery in 60 billion years. (64 bits would be one in 30 years for each process, which
 * is too often for a promise that nothing vanishes.) Who chooses event ids can only make ids of their own tenant meet, and
 * needs 2^47 hashes for that.
 */
import { sha256 } from "@postrider/runtime";

export type StepKey = Uint32Array;

const PREFIX = "dlv_";
/** Of the id after its prefix: four words of six letters, six bits each. */
const LETTERS = 24;
const LETTERS_A_WORD = 6;
const NO_LETTER = 0xff;

/** The six bits of a letter, by its code below 128. */
const BITS = new Uint8Array(128).fill(NO_LETTER);
"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
  .split("")
  .forEach((letter, bits) => (BITS[letter.charCodeAt(0)] = bits));

export function stepKey(): StepKey {
  return new Uint32Array(3);
}

/** Writes the key into `key`. Its last word is never 0. */
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
  // A step is far below 2^31: shifted past the bit that is always set, each gives a key of its own.
  key[2] = (key[2]! ^ (step << 1)) | 1;
}

/** The id's own bits; all of them count. False if it is not of our form. */
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
