/**
 * A receiver may write the request's headers into its answer, as debugging pages do. The answer is kept and shown; the credentials
 * that the endpoint and the event gave for the receiver must not be in it.
 */
import { isSecretHeader, REDACTED } from "@postrider/core";
import type { AttemptResult } from "../send/attempt-result.ts";

type Headers = Readonly<Record<string, string>>;

/** A shorter value would also be found in texts that do not mean it. */
const SHORTEST = 8;
const BLANK = Buffer.from(REDACTED);

/** The result with the values of secret request headers replaced, wherever the answer repeats them byte for byte. Of `Bearer TOKEN` the token alone is found, too. */
export function withoutEchoes(
  result: AttemptResult,
  ...sent: readonly Headers[]
): AttemptResult {
  const secrets = sent.flatMap(secretsIn);
  if (secrets.length === 0) return result;
  // The longest first: a token alone must not spoil the value that contains it.
  secrets.sort((one, other) => other.length - one.length);
  return {
    ...result,
    responseBody: secrets.reduce(blanked, result.responseBody),
    responseHeaders: Object.fromEntries(
      Object.entries(result.responseHeaders).map(([name, value]) => [
        name,
        secrets.reduce(
          (text, secret) =>
            text.replaceAll(secret.toString("latin1"), REDACTED),
          value,
        ),
      ]),
    ),
  };
}

/** As bytes: the sender writes headers in Latin-1. */
function secretsIn(headers: Headers): Buffer[] {
  const secrets: Buffer[] = [];
  for (const name in headers) {
    if (!isSecretHeader(name)) continue;
    const value = headers[name]!;
    const [, token = ""] = /^[A-Za-z-]+ +(.+)$/.exec(value) ?? [];
    for (const text of [value, token])
      if (text.length >= SHORTEST) secrets.push(Buffer.from(text, "latin1"));
  }
  return secrets;
}

/** The bytes themselves where the secret is not in them. The kept body may end within the secret: so its beginning is blanked at the end, too. */
function blanked(bytes: Buffer, secret: Buffer): Buffer {
  const pieces: Buffer[] = [];
  let from = 0;
  for (;;) {
    const at = bytes.indexOf(secret, from);
    if (at < 0) break;
    pieces.push(bytes.subarray(from, at), BLANK);
    from = at + secret.length;
  }
  const rest = bytes.subarray(from);
  const cut = beginningAtEnd(rest, secret);
  if (cut > 0) pieces.push(rest.subarray(0, rest.length - cut), BLANK);
  else if (pieces.length === 0) return bytes;
  else pieces.push(rest);
  return Buffer.concat(pieces);
}

/** How many of the secret's first bytes the text ends with; 0 for fewer than would be a secret. */
function beginningAtEnd(text: Buffer, secret: Buffer): number {
  for (
    let length = Math.min(secret.length - 1, text.length);
    length >= SHORTEST;
    length -= 1
  )
    if (text.subarray(-length).equals(secret.subarray(0, length)))
      return length;
  return 0;
}
