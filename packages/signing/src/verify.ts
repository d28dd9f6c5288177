import { timingSafeEqual, verify as verifyBytes } from "node:crypto";
import { keyOf, SecretError, type SigningKey } from "./secret-key.ts";
import { contentOf, hmac, prefixOf } from "./sign.ts";
import { headerOf, type GivenHeaders } from "./given-headers.ts";

export interface ToVerify {
  /** As `node:http` gives them, or any other record with names in upper or lower case, or the `Headers` of a `Request`. */
  readonly headers: GivenHeaders;
  /** The body's raw bytes, before any parsing; a string stands for its UTF-8 bytes. */
  readonly body: Uint8Array | string;
  /** Every secret that may have signed: `whsec_…` or other texts (`v1`), and public keys `whpk_…` (`v1a`). */
  readonly secrets: readonly string[];
  /** How far the timestamp may be from `now`, before or after. Default 300, as the specification advises. */
  readonly toleranceSeconds?: number;
  /** Epoch milliseconds. Default: the system's clock. */
  readonly now?: number;
}

/** Why a webhook must not be trusted. */
export type VerifyFailure =
  | "missing_header"
  | "bad_id"
  | "bad_timestamp"
  | "too_old"
  | "too_new"
  | "no_match";

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
      /** What is wrong and what to look at. It repeats nothing of the request. */
      readonly message: string;
    };

const NAMES = ["webhook-id", "webhook-timestamp", "webhook-signature"] as const;

/**
 * Whether a request was signed with one of the secrets, and its timestamp is recent: Standard Webhooks 1.0.0, `v1` and
 * `v1a`. Signatures of other versions are ignored. Of each version, the first 8 signatures that have its length are
 * checked, and no more. HMACs are compared in constant time. Throws `SecretError` on a secret that cannot be used or if
 * there is none, and `TypeError` on a body that is neither bytes nor a string, and on a tolerance or a time that is no number.
 */
export function verify(toVerify: ToVerify): Verification {
  const { headers, secrets, toleranceSeconds = 300 } = toVerify;
  const body = bytesOf(toVerify.body);
  const keys = keysOf(secrets);
  const [id, stamp, signatures] = NAMES.map((name) => headerOf(headers, name));
  if (!id || !stamp || !signatures) return missing(headers);
  // What is signed for the id `a`, the time 1 and the body `2.b` is also what is signed for `a.1`, the time 2 and the body `b`.
  if (id.includes("."))
    return failed(
      "bad_id",
      "webhook-id contains a full stop, which separates the parts that are signed",
    );
  if (!/^\d{1,12}$/.test(stamp))
    return failed(
      "bad_timestamp",
      "webhook-timestamp is not whole seconds since 1970",
    );
  const timestamp = Number(stamp);
  const ageSeconds = (toVerify.now ?? Date.now()) / 1_000 - timestamp;
  requireComparable(ageSeconds, toleranceSeconds);
  if (Math.abs(ageSeconds) > toleranceSeconds)
    return outOfTime(ageSeconds, toleranceSeconds);

  const given = signatures.split(" ").map(split);
  const prefix = prefixOf(id, stamp);
  const isSigned = keys.some((key) => isMadeBy(key, given, prefix, body));
  return isSigned ? { ok: true, id, timestamp } : noMatch(given, keys);
}

/** One signature of the header. */
interface Given {
  readonly version: string;
  readonly bytes: Buffer;
}

function split(text: string): Given {
  const comma = text.indexOf(",");
  return {
    version: text.slice(0, Math.max(comma, 0)),
    bytes: Buffer.from(text.slice(comma + 1), "base64"),
  };
}

/** A key checks signatures of its own version only: a public key, which everybody knows, is never used as an HMAC key. */
function isMadeBy(
  key: SigningKey,
  given: readonly Given[],
  prefix: string,
  body: Uint8Array,
): boolean {
  const own = usableOf(key.version, given).slice(0, MAX_CHECKED);
  if (own.length === 0) return false;
  if (key.version === "v1a") {
    const content = contentOf(prefix, body);
    return own.some(({ bytes }) =>
      verifyBytes(null, content, key.publicKey, bytes),
    );
  }
  const expected = hmac(key.hmac, prefix, body);
  return own.some(({ bytes }) => timingSafeEqual(bytes, expected));
}

/**
 * Anybody can send a header full of signatures, and each check of a `v1a` signature hashes the whole body. A sender gives
 * one for each secret that is valid: two in a rotation, and Postrider five at most.
 */
const MAX_CHECKED = 8;
const SIGNATURE_BYTES = { v1: 32, v1a: 64 };

function usableOf(
  version: SigningKey["version"],
  given: readonly Given[],
): readonly Given[] {
  return given.filter(
    (one) =>
      one.version === version && one.bytes.length === SIGNATURE_BYTES[version],
  );
}

function keysOf(secrets: readonly string[]): SigningKey[] {
  if (secrets.length === 0)
    throw new SecretError("EMPTY", "there is no secret to verify with");
  return secrets.map(keyOf);
}

function bytesOf(body: unknown): Uint8Array {
  if (typeof body === "string") return Buffer.from(body, "utf8");
  if (body instanceof Uint8Array) return body;
  throw new TypeError(
    "the body must be the raw bytes of the request, or their text; this one was parsed already: take the body before a JSON parser does",
  );
}

/** Nothing is more than NaN, so with it every timestamp would pass, however old. `Number(undefined)` is NaN: a setting that is missing. */
function requireComparable(ageSeconds: number, tolerance: number): void {
  if (Number.isNaN(Number(tolerance)))
    throw new TypeError("toleranceSeconds is not a number");
  if (Number.isNaN(ageSeconds)) throw new TypeError("now is not a time");
}

function missing(headers: GivenHeaders): Verification {
  const names = NAMES.filter((name) => !headerOf(headers, name));
  const are = names.length === 1 ? "is" : "are";
  return failed("missing_header", `${names.join(" and ")} ${are} missing`);
}

function outOfTime(ageSeconds: number, tolerance: number): Verification {
  const seconds = Math.ceil(Math.abs(ageSeconds));
  const limit = `the limit is ${tolerance} s; is the clock of this machine right?`;
  return ageSeconds > 0
    ? failed("too_old", `webhook-timestamp is ${seconds} s old; ${limit}`)
    : failed(
        "too_new",
        `webhook-timestamp lies ${seconds} s in the future; ${limit}`,
      );
}

function noMatch(
  given: readonly Given[],
  keys: readonly SigningKey[],
): Verification {
  const versions = [...new Set(keys.map(({ version }) => version))];
  const wanted = versions.join(" or ");
  if (versions.some((own) => usableOf(own, given).length > MAX_CHECKED))
    return failed(
      "no_match",
      `no ${wanted} signature matches the body and the secrets; only the first ${MAX_CHECKED} of a version are checked, and the request has more, which no sender needs`,
    );
  if (given.some(({ version }) => versions.some((own) => own === version)))
    return failed(
      "no_match",
      `no ${wanted} signature matches the body and the secrets; the secret is that of another endpoint, or the body was parsed and serialised again before it was verified (verify its raw bytes)`,
    );
  const hint = HINTS.find(([version]) =>
    given.some((one) => one.version === version),
  );
  return failed(
    "no_match",
    `there is no ${wanted} signature, and the secrets check no other${hint === undefined ? "" : `; ${hint[1]}`}`,
  );
}

/** What checks a version. */
const HINTS = [
  ["v1", "v1 is checked with the endpoint's secret, whsec_…"],
  ["v1a", "v1a is checked with the endpoint's public key, whpk_…"],
] as const;

function failed(failure: VerifyFailure, message: string): Verification {
  return { ok: false, failure, message };
}
