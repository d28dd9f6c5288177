import { createHmac, type KeyObject } from "node:crypto";
import { secretKeyOf } from "./secret-key.ts";

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
 * The `webhook-signature` header of Standard Webhooks 1.0.0: `v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`,
 * one per secret, separated by spaces. Throws `SecretError` if a secret cannot be used.
 */
export function sign(toSign: ToSign): string {
  const prefix = prefixOf(toSign.id, toSign.timestamp);
  if (toSign.secrets.length === 1)
    return signOne(prefix, toSign.body, toSign.secrets[0] ?? "");
  return toSign.secrets
    .map((secret) => signOne(prefix, toSign.body, secret))
    .join(" ");
}

export function prefixOf(id: string, timestamp: number | string): string {
  return `${id}.${timestamp}.`;
}

function signOne(prefix: string, body: Uint8Array, secret: string): string {
  const key = secretKeyOf(secret);
  return `v1,${hmac(key, prefix, body).toString("base64")}`;
}

/** Two updates instead of one concatenated buffer, so that the body is not copied. */
export function hmac(key: KeyObject, prefix: string, body: Uint8Array): Buffer {
  return createHmac("sha256", key).update(prefix).update(body).digest();
}
