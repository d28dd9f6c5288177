/**
 * Finds the byte positions of values in JSON text. The text must be valid (JSON.parse has accepted it): these functions
 * only look for the end of each value and check nothing. Multi-byte UTF-8 needs no special care: its bytes are never ASCII.
 */
import { decodeUtf8 } from "./web-globals.ts";

/** Bytes from `start` up to, not including, `end`. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface Member {
  readonly key: string;
  readonly value: Span;
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** The members of the object that begins at or after `from`, in the order of the text, repeated keys included. Empty if there is no object. */
export function membersOf(bytes: Uint8Array, from: number): Member[] {
  const members: Member[] = [];
  let at = skipSpace(bytes, from);
  if (bytes[at] !== OPEN_BRACE) return members;
  at = skipSpace(bytes, at + 1);
  while (at < bytes.length && bytes[at] !== CLOSE_BRACE) {
    const keyEnd = endOfString(bytes, at);
    const key = keyOf(bytes.subarray(at, keyEnd));
    const start = skipSpace(bytes, skipSpace(bytes, keyEnd) + 1);
    const end = endOfValue(bytes, start);
    members.push({ key, value: { start, end } });
    at = skipComma(bytes, end);
  }
  return members;
}

/** The elements of the array that begins at or after `from`. Empty if there is no array. */
export function elementsOf(bytes: Uint8Array, from: number): Span[] {
  const elements: Span[] = [];
  let at = skipSpace(bytes, from);
  if (bytes[at] !== OPEN_BRACKET) return elements;
  at = skipSpace(bytes, at + 1);
  while (at < bytes.length && bytes[at] !== CLOSE_BRACKET) {
    const end = endOfValue(bytes, at);
    elements.push({ start: at, end });
    at = skipComma(bytes, end);
  }
  return elements;
}

function endOfValue(bytes: Uint8Array, start: number): number {
  const first = bytes[start];
  if (first === QUOTE) return endOfString(bytes, start);
  if (first === OPEN_BRACE || first === OPEN_BRACKET)
    return endOfContainer(bytes, start);
  let at = start;
  while (at < bytes.length && !endsScalar(bytes[at])) at += 1;
  return at;
}

function endOfContainer(bytes: Uint8Array, start: number): number {
  let depth = 0;
  let at = start;
  while (at < bytes.length) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = endOfString(bytes, at);
      continue;
    }
    at += 1;
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth += 1;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
      depth -= 1;
      if (depth === 0) return at;
    }
  }
  return at;
}

function endOfString(bytes: Uint8Array, start: number): number {
  let at = start + 1;
  while (at < bytes.length && bytes[at] !== QUOTE)
    at += bytes[at] === BACKSLASH ? 2 : 1;
  return at + 1;
}

/** A key may be spelled with escapes: `"pa\u0079load"` is `payload`. */
function keyOf(quoted: Uint8Array): string {
  return JSON.parse(decodeUtf8(quoted) ?? '""') as string; // a string literal parses to a string
}

function skipComma(bytes: Uint8Array, from: number): number {
  const at = skipSpace(bytes, from);
  return bytes[at] === COMMA ? skipSpace(bytes, at + 1) : at;
}

function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  while (isSpace(bytes[at])) at += 1;
  return at;
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function endsScalar(byte: number | undefined): boolean {
  return (
    isSpace(byte) ||
    byte === COMMA ||
    byte === CLOSE_BRACE ||
    byte === CLOSE_BRACKET
  );
}
