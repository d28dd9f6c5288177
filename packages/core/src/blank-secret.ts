import { membersOf, type Span } from "./json-spans.ts";
import { decodeUtf8, encodeUtf8 } from "./web-globals.ts";

const BLANK = encodeUtf8('"[redacted]"');
/** Fields of a destination that are kept: anything else may be a secret under a mistaken name. */
const KEPT = new Set(["url", "maxAttempts", "timeoutSeconds"]);
const OPEN_BRACE = 0x7b;

/**
 * A JSON envelope with the secret of its destination blanked and every other byte as it was, to be kept where the event
 * is refused. Every repeat of a field is blanked, so is a URL that may carry a password. The bytes must be valid JSON.
 */
export function blankSecret(bytes: Uint8Array): Uint8Array {
  const hasMark = bytes[0] === 0xef;
  const spans = membersOf(bytes, hasMark ? 3 : 0)
    .filter(({ key }) => key === "destination" || key === "secret")
    .flatMap(({ key, value }) =>
      key === "destination" ? secretsOf(bytes, value) : [value],
    );
  return replaced(bytes, spans);
}

function secretsOf(bytes: Uint8Array, destination: Span): Span[] {
  if (bytes[destination.start] !== OPEN_BRACE) return [destination];
  return membersOf(bytes, destination.start)
    .filter(
      ({ key, value: { start, end } }) =>
        !KEPT.has(key) || !isPlain(bytes.subarray(start, end)),
    )
    .map(({ value }) => value);
}

/** A number, or a text without the `@` that ends a password in a URL, however it is spelled. */
function isPlain(bytes: Uint8Array): boolean {
  const value: unknown = JSON.parse(decodeUtf8(bytes) ?? "null");
  return typeof value === "string"
    ? !value.includes("@")
    : typeof value === "number";
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
