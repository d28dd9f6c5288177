import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  randomBytes,
  type KeyObject,
} from "node:crypto";

const ALGORITHM = "aes-256-gcm";
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** How many bytes a ciphertext is longer than its plain text. */
export const SEAL_BYTES = NONCE_BYTES + TAG_BYTES;

/** One key of the ring. `kid` is the key's id; it is stored beside every text that the key sealed. */
export interface EncryptionKey {
  readonly kid: string;
  /** 32 bytes. */
  readonly key: Buffer;
}

/** A sealed text: `ciphertext` is nonce (12 bytes), encrypted bytes, tag (16 bytes). */
export interface Sealed {
  readonly kid: string;
  readonly ciphertext: Buffer;
}

/** Seals with the newest key; opens with whichever of its keys did the sealing. */
export interface KeyRing {
  /** The ids of its keys, newest first. The same array until the keys change. */
  kids(): readonly string[];
  /** `aad` binds the sealed text to its owner (core's `secretAad`): it opens only with the same `aad`. */
  seal(plain: Uint8Array, aad: string): Sealed;
  /** Throws `KeyRingError`: `UNKNOWN_KEY` when the ring does not have the key, `NOT_AUTHENTIC` when the key, the `aad` or the bytes differ from those at sealing. */
  open(
    sealed: { readonly kid: string; readonly ciphertext: Uint8Array },
    aad: string,
  ): Buffer;
}

/** A secret cannot be opened, or the keys cannot be used. The message never contains a key or a plain text. */
export class KeyRingError extends Error {
  override readonly name = "KeyRingError";
  readonly code: "BAD_KEYS" | "UNKNOWN_KEY" | "NOT_AUTHENTIC";
  constructor(code: KeyRingError["code"], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** A ring of AES-256-GCM keys, newest first. Throws `KeyRingError` `BAD_KEYS` on an empty ring, a wrong length or a repeated id. */
export function createKeyRing(keys: readonly EncryptionKey[]): KeyRing {
  const newest = keys[0];
  if (newest === undefined)
    throw new KeyRingError("BAD_KEYS", "the key ring has no key");
  // Key objects are made once: making one from the bytes for every seal or opening would cost more than the cipher itself.
  const byId = new Map<string, KeyObject>();
  for (const { kid, key } of keys) {
    if (key.length !== KEY_BYTES)
      throw new KeyRingError(
        "BAD_KEYS",
        `key ${kid} has ${key.length} bytes, not ${KEY_BYTES}`,
      );
    if (byId.has(kid))
      throw new KeyRingError("BAD_KEYS", `key ${kid} is there twice`);
    byId.set(kid, createSecretKey(key));
  }
  const sealing = byId.get(newest.kid)!; // set above
  const kids = [...byId.keys()];
  return {
    kids: () => kids,
    seal: (plain, aad) => ({
      kid: newest.kid,
      ciphertext: encrypt(sealing, plain, aad),
    }),
    open({ kid, ciphertext }, aad) {
      const key = byId.get(kid);
      if (key === undefined)
        throw new KeyRingError(
          "UNKNOWN_KEY",
          `sealed with key ${kid}; the ring has ${kids.join(", ")}`,
        );
      return decrypt(key, kid, ciphertext, aad);
    },
  };
}

/** Reads `kid:base64,kid:base64`, newest first. Throws `KeyRingError` `BAD_KEYS`, which says what is wrong and at which position in the list. */
export function parseEncryptionKeys(text: string): readonly EncryptionKey[] {
  const keys = text.split(",").map(parseKey);
  createKeyRing(keys); // refuses wrong lengths and repeated ids
  return keys;
}

function parseKey(entry: string, index: number): EncryptionKey {
  const place = `key ${index + 1}`;
  const match = /^\s*([A-Za-z0-9_.-]{1,64}):([A-Za-z0-9+/_-]+={0,2})\s*$/.exec(
    entry,
  );
  if (match === null)
    throw new KeyRingError(
      "BAD_KEYS",
      `${place} is not of the form id:base64 (id: 1 to 64 of A-Z a-z 0-9 . _ -)`,
    );
  const key = Buffer.from(match[2] ?? "", "base64");
  if (key.length !== KEY_BYTES)
    throw new KeyRingError(
      "BAD_KEYS",
      `${place} (${match[1]}) has ${key.length} bytes, not ${KEY_BYTES}; make one with: openssl rand -base64 32`,
    );
  return { kid: match[1] ?? "", key };
}

function encrypt(key: KeyObject, plain: Uint8Array, aad: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, nonce);
  cipher.setAAD(Buffer.from(aad));
  return Buffer.concat([
    nonce,
    cipher.update(plain),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
}

function decrypt(
  key: KeyObject,
  kid: string,
  ciphertext: Uint8Array,
  aad: string,
): Buffer {
  const refusal = `what key ${kid} sealed does not open: another key, another owner, or changed bytes`;
  if (ciphertext.length < SEAL_BYTES)
    throw new KeyRingError("NOT_AUTHENTIC", refusal);
  const decipher = createDecipheriv(
    ALGORITHM,
    key,
    ciphertext.subarray(0, NONCE_BYTES),
    { authTagLength: TAG_BYTES },
  );
  decipher.setAAD(Buffer.from(aad));
  decipher.setAuthTag(ciphertext.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([
      decipher.update(ciphertext.subarray(NONCE_BYTES, -TAG_BYTES)),
      decipher.final(),
    ]);
  } catch (cause) {
    throw new KeyRingError("NOT_AUTHENTIC", refusal, cause);
  }
}
