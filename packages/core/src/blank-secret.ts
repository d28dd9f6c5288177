import { type Member, objectAt, type Span } from "./json-spans.ts";
import { isSecretHeader, REDACTED } from "./secret-header.ts";
import { decodeUtf8, encodeUtf8 } from "./web-globals.ts";

const BLANK = encodeUtf8(`"${REDACTED}"`);
/** Fields of a destination that are kept. Every other field is blanked: it may be a secret under a misspelled name. */
const KEPT = new Set([
  "url",
  "maxAttempts",
  "timeoutSeconds",
  "retryDelaysMs",
  "maxAgeMs",
  "notRetryableStatuses",
]);
const OPEN_BRACE = 0x7b;

/**
 * Blanks the secrets in a JSON envelope, so that a refused event can be stored: the destination's secret, the values of
 * secret headers, and a URL that may carry a password (it contains `@`). If a field is repeated, each repeat is blanked,
 * whether its name is in upper or lower case. Every other byte stays as it was. The bytes must be valid JSON.
 */
export function blankSecret(bytes: Uint8Array): Uint8Array {
  const hasMark = bytes[0] === 0xef;
  const spans = membersOf(bytes, hasMark ? 3 : 0).flatMap(({ key, value }) => {
    switch (key.toLowerCase()) {
      case "secret":
        return [value];
      case "destination":
        return secretsOf(
          bytes,
          value,
          (name, text) => KEPT.has(name) && !text.includes("@"),
        );
      case "headers":
        return secretsOf(bytes, value, (name) => !isSecretHeader(name));
      default:
        return [];
    }
  });
  return replaced(bytes, spans);
}

function membersOf(bytes: Uint8Array, from: number): readonly Member[] {
  return objectAt(bytes, from)?.members ?? [];
}

/**
 * The parts of an object to blank: members that `mayKeep` refuses, and members that are neither a string nor numbers,
 * because a nested value may hide a secret. If the value is not an object, all of it is blanked.
 */
function secretsOf(
  bytes: Uint8Array,
  object: Span,
  mayKeep: (name: string, text: string) => boolean,
): Span[] {
  if (bytes[object.start] !== OPEN_BRACE) return [object];
  return membersOf(bytes, object.start)
    .filter(({ key, value: { start, end } }) => {
      const text = plainText(bytes.subarray(start, end));
      return text === undefined || !mayKeep(key, text);
    })
    .map(({ value }) => value);
}

/** The value of a JSON string (escapes decoded), of a number or of a list of numbers, as text; `undefined` for any other JSON. */
function plainText(bytes: Uint8Array): string | undefined {
  const value: unknown = JSON.parse(decodeUtf8(bytes) ?? "null");
  if (typeof value === "string") return value;
  if (Array.isArray(value) && value.every((each) => typeof each === "number"))
    return value.join();
  return typeof value === "number" ? String(value) : undefined;
}

function replaced(bytes: Uint8Array, spans: readonly Span[]): Uint8Array {
  if (spans.length === 0) return bytes;
  const pieces: Uint8Array[] = [];
  let at = 0;
  for (const { start, end } of spans) {
    pieces.push(bytes.subarray(at, start), BLANK);
    at = end;
  }
  pieces.push(bytes.subarray(at));
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  const whole = new Uint8Array(length);
  let to = 0;
  for (const piece of pieces) {
    whole.set(piece, to);
    to += piece.length;
  }
  return whole;
}
