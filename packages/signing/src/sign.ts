import {
  createHmac,
  sign as signBytes,
  type Hmac,
  type KeyObject,
} from "node:crypto";
import { keyOf, SecretError } from "./secret-key.ts";

export interface ToSign {
  /** The `webhook-id`. It must not contain a `.`, because `.` separates the signed parts. */
  readonly id: string;
  /** The `webhook-timestamp`: whole seconds since 1970, of this attempt. */
  readonly timestamp: number;
  /** Exactly the bytes that are sent. */
  readonly body: Uint8Array;
  /** One or more. Each makes a signature, so that a receiver may switch to the new secret at any time during a rotation. */
  readonly secrets: readonly string[];
}

/**
 * The `webhook-signature` header of Standard Webhooks 1.0.0: one signature per secret over `id.timestamp.body`, separated
 * by spaces. A `whsk_…` makes `v1a,` and an ed25519 signature, any other secret `v1,` and an HMAC-SHA256, both in base64.
 * Throws `SecretError` if a secret cannot be used.
 */
export function sign(toSign: ToSign): string {
  const prefix = prefixOf(toSign.id, toSign.timestamp);
  if (toSign.secrets.length === 1)
    return signOne(prefix, toSign.body, toSign.secrets[0] ?? "");
  return toSign.secrets
    .map((secret) => signOne(prefix, toSign.body, secret))
    .join(" ");
}

/**
 * The value of `x-webhook-signature`, the profile `hmac-hex`: `sha256=` and the hex of HMAC-SHA256 over the body alone.
 * Throws `SecretError` if the secret is empty, or an ed25519 key.
 */
export function signHmacHex(body: Uint8Array, secret: string): string {
  const key = keyOf(secret);
  if (key.version === "v1a")
    throw new SecretError("UNSUPPORTED", "an ed25519 key makes no HMAC");
  return `sha256=${hmacOf(key.hmac, "", body).digest("hex")}`;
}

export function prefixOf(id: string, timestamp: number | string): string {
  return `${id}.${timestamp}.`;
}

function signOne(prefix: string, body: Uint8Array, secret: string): string {
  const key = keyOf(secret);
  if (key.version === "v1")
    return `v1,${hmacOf(key.hmac, prefix, body).digest("base64")}`;
  if (key.privateKey === null)
    throw new SecretError(
      "UNSUPPORTED",
      "whpk_ is a public key: it verifies and cannot sign",
    );
  const bytes = signBytes(null, contentOf(prefix, body), key.privateKey);
  return `v1a,${bytes.toString("base64")}`;
}

export function hmac(key: KeyObject, prefix: string, body: Uint8Array): Buffer {
  return hmacOf(key, prefix, body).digest();
}

/** Two updates instead of one concatenated buffer, so that the body is not copied. Ask it for a text where one is wanted: that is a quarter cheaper than a Buffer and its text. */
function hmacOf(key: KeyObject, prefix: string, body: Uint8Array): Hmac {
  return createHmac("sha256", key).update(prefix).update(body);
}

/** What is signed, in one piece: ed25519 reads it twice and takes no parts. */
export function contentOf(prefix: string, body: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(prefix), body]);
}
