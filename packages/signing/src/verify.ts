import { timingSafeEqual } from "node:crypto";
import { secretKeyOf } from "./secret-key.ts";
import { hmac, prefixOf } from "./sign.ts";

export interface ToVerify {
  /** As `node:http` gives them, or any other record; names in upper or lower case. */
  readonly headers: Readonly<
    Record<string, string | readonly string[] | undefined>
  >;
  /** The body's raw bytes, before any parsing; a string stands for its UTF-8 bytes. */
  readonly body: Uint8Array | string;
  /** Every secret that may have signed. */
  readonly secrets: readonly string[];
  /** How far the timestamp may be from `now`, before or after. Default 300, as the specification advises. */
  readonly toleranceSeconds?: number;
  /** Epoch milliseconds. Default: the system's clock. */
  readonly now?: number;
}

/** Why a webhook must not be trusted. */
export type VerifyFailure =
  "missing_header" | "bad_timestamp" | "too_old" | "too_new" | "no_match";

export type Verification =
  | {
      readonly ok: true;
      readonly id: string;
      /** Seconds since 1970. */
      readonly timestamp: number;
    }
  | {
      readonly ok: false;
      readonly failure: VerifyFailure;
      readonly message: string;
    };

/**
 * Whether a request was signed with one of the secrets, and its timestamp is recent: Standard Webhooks 1.0.0, `v1`.
 * Signatures of other versions are ignored. Signatures are compared in constant time. Throws `SecretError` on a secret that
 * cannot be used.
 */
export function verify(toVerify: ToVerify): Verification {
  const { headers, secrets, toleranceSeconds = 300 } = toVerify;
  const id = headerOf(headers, "webhook-id");
  const stamp = headerOf(headers, "webhook-timestamp");
  const signatures = headerOf(headers, "webhook-signature");
  if (!id || !stamp || !signatures)
    return failed(
      "missing_header",
      "webhook-id, webhook-timestamp and webhook-signature are required",
    );
  if (!/^\d{1,12}$/.test(stamp))
    return failed("bad_timestamp", "webhook-timestamp is not whole seconds");
  const timestamp = Number(stamp);
  const ageSeconds = (toVerify.now ?? Date.now()) / 1_000 - timestamp;
  if (ageSeconds > toleranceSeconds)
    return failed("too_old", "webhook-timestamp is too old");
  if (ageSeconds < -toleranceSeconds)
    return failed("too_new", "webhook-timestamp lies in the future");

  const body =
    typeof toVerify.body === "string"
      ? Buffer.from(toVerify.body, "utf8")
      : toVerify.body;
  const given = signatures.split(" ").filter((one) => one.startsWith("v1,"));
  const matches = secrets.some((secret) => {
    const expected = hmac(secretKeyOf(secret), prefixOf(id, stamp), body);
    return given.some((one) => isEqual(expected, one.slice("v1,".length)));
  });
  if (!matches)
    return failed("no_match", "no signature was made by one of the secrets");
  return { ok: true, id, timestamp };
}

function isEqual(expected: Buffer, signature: string): boolean {
  const given = Buffer.from(signature, "base64");
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function headerOf(
  headers: ToVerify["headers"],
  name: string,
): string | undefined {
  const value =
    headers[name] ??
    Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  return typeof value === "string" || value === undefined ? value : value[0];
}

function failed(failure: VerifyFailure, message: string): Verification {
  return { ok: false, failure, message };
}
