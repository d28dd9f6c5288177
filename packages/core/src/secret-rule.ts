import type { Problem } from "./problem.ts";

const MAX_LENGTH = 1_024;
const PREFIX = "whsec_";
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
/** The key length that Standard Webhooks requires of a `whsec_` secret. */
const MIN_KEY_BYTES = 24;
const MAX_KEY_BYTES = 64;
/** White space or an invisible character at either end: usually copied by mistake. */
const EDGE = /^[\s\p{Cc}\p{Cf}]|[\s\p{Cc}\p{Cf}]$/u;
/** Control characters, line separators, and half a surrogate pair, which has no UTF-8 encoding. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}]/u;
/** The prefix of a Standard Webhooks secret, anywhere in a text. */
const PREFIXES = /whsec_|whsk_/i;

const FORM =
  "whsec_ and the base64 of 24 to 64 bytes, with nothing before or after it, such as whsec_MfKQ9r8GKYqrTwjU…";

/**
 * The problem of a signing secret; `undefined` if the secret is valid. Valid is `whsec_` and the base64 of 24 to 64 bytes
 * (Standard Webhooks), or any other non-empty text, whose UTF-8 bytes are the key.
 *
 * A text that contains `whsec_` with something before it would pass as "any other text", but the receiver uses the decoded
 * key, so no signature would ever verify: such a text is refused. `whsk_` (ed25519) is refused until Postrider can sign
 * `v1a`. The message never repeats the secret.
 */
export function secretProblem(
  field: string,
  secret: string,
): Problem | undefined {
  const broken = brokenRule(secret);
  if (broken === undefined) return undefined;
  const [rule, message] = broken;
  return { field, rule, message };
}

function brokenRule(
  secret: string,
): readonly [rule: string, message: string] | undefined {
  if (secret === "") return ["required", "a signing secret is required"];
  if (secret.length > MAX_LENGTH)
    return ["length", `at most ${MAX_LENGTH} characters`];
  if (EDGE.test(secret))
    return ["space", "must not begin or end with white space"];
  if (UNPRINTABLE.test(secret))
    return ["characters", "no line breaks or control characters"];
  if (secret.startsWith("whsk_"))
    return [
      "unsupported",
      "whsk_ secrets (ed25519, v1a) are not supported yet",
    ];
  if (secret.startsWith(PREFIX)) return brokenKey(secret.slice(PREFIX.length));
  if (PREFIXES.test(secret)) return ["form", `must be ${FORM}`];
  return undefined;
}

/** The rule that the text after `whsec_` breaks, if any. Base64 padding may be left out; if present, it must be correct. */
function brokenKey(
  base64: string,
): readonly [rule: string, message: string] | undefined {
  const digits = base64.replace(/=+$/, "").length;
  const isPadded = digits < base64.length;
  const isBase64 =
    BASE64.test(base64) &&
    digits % 4 !== 1 &&
    (!isPadded || base64.length % 4 === 0);
  if (!isBase64) return ["base64", `must be ${FORM}`];
  const bytes = Math.floor((digits * 3) / 4);
  if (bytes >= MIN_KEY_BYTES && bytes <= MAX_KEY_BYTES) return undefined;
  return [
    "length",
    `whsec_ must carry ${MIN_KEY_BYTES} to ${MAX_KEY_BYTES} bytes as base64`,
  ];
}
