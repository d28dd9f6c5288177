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

/**
 * The result with the values of secret request headers replaced, wherever the answer repeats them byte for byte. Of `Bearer TOKEN`
 * the token alone is found, too. One replacement stands for all that is found side by side, so an answer grows by a quarter at most.
 */
export function withoutEchoes(
  result: AttemptResult,
  ...sent: readonly Headers[]
): AttemptResult {
  const secrets = [...new Set(sent.flatMap(secretsIn))].map((text) =>
    Buffer.from(text, "latin1"),
  );
  if (secrets.length === 0) return result;
  return {
    ...result,
    responseBody: blanked(result.responseBody, secrets),
    responseHeaders: Object.fromEntries(
      Object.entries(result.responseHeaders).map(([name, value]) => {
        const bytes = Buffer.from(value, "latin1");
        const kept = blanked(bytes, secrets);
        return [name, kept === bytes ? value : kept.toString("latin1")];
      }),
    ),
  };
}

/** The sender writes them in Latin-1, and HTTP has no spaces around a value. */
function secretsIn(headers: Headers): string[] {
  const secrets: string[] = [];
  for (const name in headers) {
    if (!isSecretHeader(name)) continue;
    const value = headers[name]!.trim();
    const [, token = ""] = /^[A-Za-z-]+ +(.+)$/.exec(value) ?? [];
    for (const text of [value, token])
      if (text.length >= SHORTEST) secrets.push(text);
  }
  return secrets;
}

/** The bytes themselves where none of the secrets is in them. All are looked for in what came, not in what replaces another. */
function blanked(bytes: Buffer, secrets: readonly Buffer[]): Buffer {
  /** 1 for each byte of a secret; made with the first. */
  let marks: Buffer | null = null;
  for (const secret of secrets) {
    for (
      let at = bytes.indexOf(secret);
      at >= 0;
      at = bytes.indexOf(secret, at + secret.length)
    )
      (marks ??= Buffer.alloc(bytes.length)).fill(1, at, at + secret.length);
    const cutAt = beginningAtEnd(bytes, secret);
    if (cutAt >= 0) (marks ??= Buffer.alloc(bytes.length)).fill(1, cutAt);
  }
  return marks === null ? bytes : replaced(bytes, marks);
}

/** Each run of marked bytes as one replacement. */
function replaced(bytes: Buffer, marks: Buffer): Buffer {
  const pieces: Buffer[] = [];
  let from = 0;
  for (;;) {
    const at = marks.indexOf(1, from);
    if (at < 0) break;
    pieces.push(bytes.subarray(from, at), BLANK);
    const end = marks.indexOf(0, at);
    from = end < 0 ? bytes.length : end;
  }
  pieces.push(bytes.subarray(from));
  return Buffer.concat(pieces);
}

/** Where a beginning of the secret begins with which the bytes end: the kept body may end within the secret. -1: they do not, or with fewer bytes than would be a secret. */
function beginningAtEnd(bytes: Buffer, secret: Buffer): number {
  const first = secret.subarray(0, SHORTEST);
  const earliest = Math.max(0, bytes.length - secret.length + 1);
  for (
    let at = bytes.indexOf(first, earliest);
    at >= 0;
    at = bytes.indexOf(first, at + 1)
  )
    if (bytes.subarray(at).equals(secret.subarray(0, bytes.length - at)))
      return at;
  return -1;
}
