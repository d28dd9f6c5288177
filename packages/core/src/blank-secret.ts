import { membersOf, type Span } from "./json-spans.ts";
import { isSecretHeader, REDACTED } from "./secret-header.ts";
import { decodeUtf8, encodeUtf8 } from "./web-globals.ts";

const BLANK = encodeUtf8(`"${REDACTED}"`);
/** Fields of a destination that are kept: anything else may be a secret under a mistaken name. */
const KEPT = new Set(["url", "maxAttempts", "timeoutSeconds"]);
const OPEN_BRACE = 0x7b;

/**
 * A JSON envelope with the secret of its destination and the values of its secret headers blanked, and every other byte as
 * it was, to be kept where the event is refused. Every repeat of a field is blanked, in whatever case its name is written; so
 * is a URL that may carry a password. The bytes must be valid JSON.
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

/**
 * What must be blanked of an object: the members that `mayKeep` does not let through, and whatever is neither a text nor a
 * number, as something may be hidden in it. The whole where it is no object.
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

/** A text, however it is spelled, or a number as text. */
function plainText(bytes: Uint8Array): string | undefined {
  const value: unknown = JSON.parse(decodeUtf8(bytes) ?? "null");
  if (typeof value === "string") return value;
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
