import type { Problem } from "./problem.ts";

const MAX_LENGTH = 1_024;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
/** The key lengths that Standard Webhooks allows a `whsec_` secret: 24 to 64 bytes. */
const HMAC_BYTES = Array.from({ length: 41 }, (_, at) => 24 + at);
/** White space or an invisible character at either end: usually copied by mistake. */
const EDGE = /^[\s\p{Cc}\p{Cf}]|[\s\p{Cc}\p{Cf}]$/u;
/** Control characters, line separators, and half a surrogate pair, which has no UTF-8 encoding. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u;
/** The prefix of a Standard Webhooks key, anywhere in a text. */
const PREFIXES = /whsec_|whsk_|whpk_/i;

const FORM =
  "whsec_ and the base64 of 24 to 64 bytes, with nothing before or after it, such as whsec_MfKQ9r8GKYqrTwjU…";
const PAIR_FORM =
  "whsk_ and the base64 of 64 bytes (an ed25519 seed and its public key) or of the 32 of the seed alone, with nothing before or after it";
const PUBLIC_FORM =
  "whpk_ and the base64 of the 32 bytes of an ed25519 public key";

/** What a secret signs with: HMAC-SHA256 (`v1`, `hmac-hex`) or ed25519 (`v1a`). */
export type SecretType = "hmac" | "ed25519";

/** The type of a valid secret. */
export function secretTypeOf(secret: string): SecretType {
  return secret.startsWith("whsk_") ? "ed25519" : "hmac";
}

/**
 * The problem of a signing secret; `undefined` if the secret is valid. Valid is `whsec_` and the base64 of 24 to 64 bytes
 * (Standard Webhooks), `whsk_` and the base64 of an ed25519 key (32 or 64 bytes), or any other non-empty text, whose UTF-8
 * bytes are the key. Whether the two halves of a `whsk_` belong together needs cryptography and is not checked here.
 *
 * A text that contains a prefix with something before it would pass as "any other text", but the receiver uses the decoded
 * key, so no signature would ever verify: such a text is refused. A public key (`whpk_`) is not a secret: everybody could
 * sign with it. The message never repeats the secret.
 */
export function secretProblem(
  field: string,
  secret: string,
): Problem | undefined {
  return problemOf(field, brokenRule(secret));
}

/** As `secretProblem`, for what a receiver verifies with: a public key (`whpk_` and the base64 of 32 bytes) is valid, too. */
export function verifierProblem(
  field: string,
  text: string,
): Problem | undefined {
  return problemOf(
    field,
    text.startsWith("whpk_")
      ? brokenKey(text.slice(5), [32], PUBLIC_FORM)
      : brokenRule(text),
  );
}

type BrokenRule = readonly [rule: string, message: string] | undefined;

function problemOf(field: string, broken: BrokenRule): Problem | undefined {
  if (broken === undefined) return undefined;
  const [rule, message] = broken;
  return { field, rule, message };
}

function brokenRule(secret: string): BrokenRule {
  if (secret === "") return ["required", "a signing secret is required"];
  if (secret.length > MAX_LENGTH)
    return ["length", `at most ${MAX_LENGTH} characters`];
  if (EDGE.test(secret))
    return ["space", "must not begin or end with white space"];
  if (UNPRINTABLE.test(secret))
    return ["characters", "no line breaks or control characters"];
  if (secret.startsWith("whsk_"))
    return brokenKey(secret.slice(5), [32, 64], PAIR_FORM);
  if (secret.startsWith("whsec_"))
    return brokenKey(secret.slice(6), HMAC_BYTES, FORM);
  if (secret.startsWith("whpk_"))
    return [
      "public_key",
      "whpk_ is a public key, which receivers verify with; the secret begins with whsk_",
    ];
  if (PREFIXES.test(secret)) return ["form", `must be ${FORM}`];
  return undefined;
}

/** The rule that the text after a prefix breaks, if any. Base64 padding may be left out; if present, it must be correct. */
function brokenKey(
  base64: string,
  lengths: readonly number[],
  form: string,
): BrokenRule {
  const digits = base64.replace(/=+$/, "").length;
  const isPadded = digits < base64.length;
  const isBase64 =
    BASE64.test(base64) &&
    digits % 4 !== 1 &&
    (!isPadded || base64.length % 4 === 0);
  if (!isBase64) return ["base64", `must be ${form}`];
  const bytes = Math.floor((digits * 3) / 4);
  return lengths.includes(bytes) ? undefined : ["length", `must be ${form}`];
}
