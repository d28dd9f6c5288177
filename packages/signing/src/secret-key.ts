import { createSecretKey, type KeyObject } from "node:crypto";

/** A secret cannot be used to sign. The message never contains the secret. */
export class SecretError extends Error {
  override readonly name = "SecretError";
  readonly code: "EMPTY" | "BAD_BASE64" | "UNSUPPORTED";

  constructor(code: SecretError["code"], message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * The HMAC key of a secret: for `whsec_…` the decoded base64 after the prefix, for any other text its UTF-8 bytes.
 * Throws `SecretError` on an empty secret, bad base64, and `whsk_` (ed25519), which cannot sign `v1`.
 */
export function secretKeyOf(secret: string): KeyObject {
  const known = cache.get(secret);
  if (known !== undefined) return known;
  const key = createSecretKey(bytesOf(secret));
  // cleared whole, no LRU: making a key again costs a microsecond, but tracking the order of use would cost one per call
  if (cache.size >= MAX_CACHED) cache.clear();
  cache.set(secret, key);
  return key;
}

/** Keys by secret: making a KeyObject costs more than the signature itself. */
const cache = new Map<string, KeyObject>();
const MAX_CACHED = 10_000;

function bytesOf(secret: string): Buffer {
  if (secret.startsWith("whsk_"))
    throw new SecretError(
      "UNSUPPORTED",
      "whsk_ secrets sign v1a (ed25519), which is not supported yet; use a whsec_ secret",
    );
  if (!secret.startsWith("whsec_")) {
    if (secret === "")
      throw new SecretError("EMPTY", "a signing secret must not be empty");
    return Buffer.from(secret, "utf8");
  }
  const text = secret.slice("whsec_".length);
  const isBase64 =
    /^[A-Za-z0-9+/]+={0,2}$/.test(text) &&
    text.replace(/=+$/, "").length % 4 !== 1;
  if (!isBase64)
    throw new SecretError(
      "BAD_BASE64",
      "what follows whsec_ in a signing secret must be base64",
    );
  return Buffer.from(text, "base64");
}
