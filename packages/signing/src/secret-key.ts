import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  type KeyObject,
} from "node:crypto";

/** A secret cannot be used. The message never contains the secret. */
export class SecretError extends Error {
  override readonly name = "SecretError";
  /** `UNSUPPORTED`: the secret is valid, but it cannot do what was asked of it. */
  readonly code: "EMPTY" | "BAD_BASE64" | "BAD_KEY" | "UNSUPPORTED";

  constructor(code: SecretError["code"], message: string) {
    super(message);
    this.code = code;
  }
}

/** The key of a secret, with the version of the signatures that the key makes and checks. */
export type SigningKey =
  | { readonly version: "v1"; readonly hmac: KeyObject }
  | {
      readonly version: "v1a";
      readonly publicKey: KeyObject;
      /** null of a `whpk_…`, which can only verify. */
      readonly privateKey: KeyObject | null;
    };

/**
 * `whsec_…` is the base64 of an HMAC key. `whsk_…` is the base64 of an ed25519 seed (32 bytes), usually with its public key
 * behind it (64 bytes in all), and `whpk_…` that of the public key. Any other text is an HMAC key: its UTF-8 bytes.
 * Throws `SecretError`.
 */
export function keyOf(secret: string): SigningKey {
  const known = cache.get(secret);
  if (known !== undefined) return known;
  const key = readKey(secret);
  // cleared whole, no LRU: making a key again costs microseconds, but tracking the order of use would cost one per call
  if (cache.size >= MAX_CACHED) cache.clear();
  cache.set(secret, key);
  return key;
}

/** Keys by secret: making a KeyObject costs more than the signature itself. */
const cache = new Map<string, SigningKey>();
const MAX_CACHED = 10_000;

/** The public key `whpk_…` of a `whsk_…`; null of an HMAC secret. Throws `SecretError`. */
export function publicKeyOf(secret: string): string | null {
  const key = keyOf(secret);
  if (key.version === "v1") return null;
  return `whpk_${bytesOf(key.publicKey).toString("base64")}`;
}

const KEY_BYTES = 32;
/** What stands before the 32 bytes of an ed25519 key in DER (RFC 8410). */
const PRIVATE_DER = Buffer.from("302e020100300506032b657004220420", "hex");
const PUBLIC_DER = Buffer.from("302a300506032b6570032100", "hex");

function readKey(secret: string): SigningKey {
  // Callers in JavaScript may pass an environment variable that is not set.
  if (typeof secret !== "string" || secret === "")
    throw new SecretError("EMPTY", "a secret is missing or empty");
  if (secret.startsWith("whsk_")) return readPair(fromBase64(secret, "whsk_"));
  if (secret.startsWith("whpk_")) {
    const bytes = fromBase64(secret, "whpk_");
    if (bytes.length !== KEY_BYTES)
      throw new SecretError("BAD_KEY", "whpk_ must carry 32 bytes as base64");
    return { version: "v1a", publicKey: readPublic(bytes), privateKey: null };
  }
  const bytes = secret.startsWith("whsec_")
    ? fromBase64(secret, "whsec_")
    : Buffer.from(secret, "utf8");
  return { version: "v1", hmac: createSecretKey(bytes) };
}

function readPair(bytes: Buffer): SigningKey {
  if (bytes.length !== KEY_BYTES && bytes.length !== 2 * KEY_BYTES)
    throw new SecretError(
      "BAD_KEY",
      "whsk_ must carry 64 bytes as base64, an ed25519 seed and its public key, or the 32 bytes of the seed alone",
    );
  const privateKey = createPrivateKey({
    key: Buffer.concat([PRIVATE_DER, bytes.subarray(0, KEY_BYTES)]),
    format: "der",
    type: "pkcs8",
  });
  const publicKey = createPublicKey(privateKey);
  const given = bytes.subarray(KEY_BYTES);
  if (given.length > 0 && !bytesOf(publicKey).equals(given))
    throw new SecretError(
      "BAD_KEY",
      "the second half of what whsk_ carries is not the public key of the first",
    );
  return { version: "v1a", publicKey, privateKey };
}

function readPublic(bytes: Buffer): KeyObject {
  return createPublicKey({
    key: Buffer.concat([PUBLIC_DER, bytes]),
    format: "der",
    type: "spki",
  });
}

function bytesOf(publicKey: KeyObject): Buffer {
  return publicKey
    .export({ format: "der", type: "spki" })
    .subarray(PUBLIC_DER.length);
}

function fromBase64(secret: string, prefix: string): Buffer {
  const text = secret.slice(prefix.length);
  const isBase64 =
    /^[A-Za-z0-9+/]+={0,2}$/.test(text) &&
    text.replace(/=+$/, "").length % 4 !== 1;
  if (!isBase64)
    throw new SecretError(
      "BAD_BASE64",
      `what follows ${prefix} in a secret must be base64`,
    );
  return Buffer.from(text, "base64");
}
