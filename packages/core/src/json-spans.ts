/**
 * Reads JSON text as bytes: checks it, and finds where its values are, without making objects of them. So a payload of any size
 * costs one look at each byte, and no memory. Takes the text that `JSON.parse` takes of valid UTF-8 (RFC 8259, RFC 3629), and no other.
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
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const LETTER_U = 0x75;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
/** What may stand behind a backslash, but for `u`. */
const ESCAPES = bytesOf('"\\/bfnrt');
const WORDS = ["true", "false", "null"].map(bytesOf);
/** A closing bracket or brace stands so far behind its opening one. */
const OPEN_TO_CLOSE = 2;
/** 1 for each byte that is a character of a string by itself. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x20 && byte < 0x80 && byte !== QUOTE && byte !== BACKSLASH ? 1 : 0,
);

const SHORT_BYTES = 32;

/** In place of a position: what is there is no JSON. */
const NOT_JSON = -1;

/** The members of the object that begins at or after `from`, in the order of the text, repeated keys included, and where the object ends. Null if no object is there, or no valid one. */
export function objectAt(
  bytes: Uint8Array,
  from: number,
): { readonly members: readonly Member[]; readonly end: number } | null {
  const members: Member[] = [];
  let at = skipSpace(bytes, from);
  if (bytes[at] !== OPEN_BRACE) return null;
  at = skipSpace(bytes, at + 1);
  if (bytes[at] === CLOSE_BRACE) return { members, end: at + 1 };
  for (;;) {
    const keyStart = at;
    const keyEnd = endOfString(bytes, at);
    const start = afterColon(bytes, keyEnd);
    const end = start === NOT_JSON ? NOT_JSON : endOfValue(bytes, start);
    if (end === NOT_JSON) return null;
    const key = textOf(bytes, keyStart, keyEnd);
    members.push({ key, value: { start, end } });
    at = skipSpace(bytes, end);
    if (bytes[at] === CLOSE_BRACE) return { members, end: at + 1 };
    if (bytes[at] !== COMMA) return null;
    at = skipSpace(bytes, at + 1);
  }
}

/**
 * The elements of the array that begins at or after `from`, but no more than `most`: the members of each object, and null for
 * each other value. Null if no array is there, or no valid one; what follows the last element that is read is not looked at.
 */
export function objectsOf(
  bytes: Uint8Array,
  from: number,
  most: number,
): (readonly Member[] | null)[] | null {
  const objects: (readonly Member[] | null)[] = [];
  let at = skipSpace(bytes, from);
  if (bytes[at] !== OPEN_BRACKET) return null;
  at = skipSpace(bytes, at + 1);
  if (bytes[at] === CLOSE_BRACKET) return objects;
  while (objects.length < most) {
    const object = objectAt(bytes, at);
    const end = object?.end ?? endOfValue(bytes, at);
    if (end === NOT_JSON) return null;
    objects.push(object?.members ?? null);
    at = skipSpace(bytes, end);
    if (bytes[at] === CLOSE_BRACKET) return objects;
    if (bytes[at] !== COMMA) return null;
    at = skipSpace(bytes, at + 1);
  }
  return objects;
}

/** The one JSON value that the bytes are, with white space and a byte order mark around it; null if they are anything else. */
export function wholeValue(bytes: Uint8Array): Span | null {
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const start = skipSpace(bytes, hasMark ? 3 : 0);
  const end = endOfValue(bytes, start);
  return end !== NOT_JSON && skipSpace(bytes, end) === bytes.length
    ? { start, end }
    : null;
}

/** Element `index` (0-based) of the array that begins at `from`; null if no array is there, or a shorter one. Of an array that is not valid JSON the elements before the fault are found. */
export function elementAt(
  bytes: Uint8Array,
  from: number,
  index: number,
): Span | null {
  if (bytes[from] !== OPEN_BRACKET) return null;
  let start = skipSpace(bytes, from + 1);
  if (bytes[start] === CLOSE_BRACKET) return null;
  for (let left = index; ; left--) {
    const end = endOfValue(bytes, start);
    if (end === NOT_JSON) return null;
    if (left === 0) return { start, end };
    const next = skipSpace(bytes, end);
    if (bytes[next] !== COMMA) return null;
    start = skipSpace(bytes, next + 1);
  }
}

/** Whether the value that begins at `start` is a string. */
export function isString(bytes: Uint8Array, start: number): boolean {
  return bytes[start] === QUOTE;
}

/** The text of the valid string literal at these bytes. It may be spelled with escapes: `"pa\u0079load"` is `payload`. */
export function textOf(bytes: Uint8Array, start: number, end: number): string {
  return (
    shortText(bytes, start + 1, end - 1) ??
    (JSON.parse(decodeUtf8(bytes.subarray(start, end)) ?? '""') as string) // a string literal parses to a string
  );
}

/** Undefined if the text is long or not plain ASCII. For a short one the decoder and the parser take twice as long or longer. */
function shortText(
  bytes: Uint8Array,
  start: number,
  end: number,
): string | undefined {
  if (end - start > SHORT_BYTES) return undefined;
  for (let at = start; at < end; at++)
    if (PLAIN[bytes[at]!] !== 1) return undefined;
  let text = "";
  let at = start;
  for (; at + 4 <= end; at += 4)
    text += String.fromCharCode(
      bytes[at]!,
      bytes[at + 1]!,
      bytes[at + 2]!,
      bytes[at + 3]!,
    );
  for (; at < end; at++) text += String.fromCharCode(bytes[at]!);
  return text;
}

/** Where the first byte behind white space is; the length if there is none. */
export function skipSpace(bytes: Uint8Array, from: number): number {
  let at = from;
  // Nearly always there is none: one comparison shows it.
  while (bytes[at]! <= 0x20 && isSpace(bytes[at])) at += 1;
  return at;
}

/** Where the value ends that begins at `start`. Goes into objects and arrays without calling itself, however deep they are. */
function endOfValue(bytes: Uint8Array, start: number): number {
  /** The byte that closes the innermost object or array around `at`; 0 if there is none. */
  let closer = 0;
  /** Those of the objects and arrays around it. */
  const outer: number[] = [];
  let at = start;
  for (;;) {
    const first = bytes[at];
    if (first === OPEN_BRACE || first === OPEN_BRACKET) {
      const opened = first + OPEN_TO_CLOSE;
      at = skipSpace(bytes, at + 1);
      if (bytes[at] !== opened) {
        outer.push(closer);
        closer = opened;
        at = nextValue(bytes, at, closer);
        if (at === NOT_JSON) return NOT_JSON;
        continue;
      }
      at += 1;
    } else at = endOfScalar(bytes, at);
    for (;;) {
      if (at === NOT_JSON || closer === 0) return at;
      at = skipSpace(bytes, at);
      if (bytes[at] === COMMA) break;
      if (bytes[at] !== closer) return NOT_JSON;
      closer = outer.pop() ?? 0;
      at += 1;
    }
    at = nextValue(bytes, skipSpace(bytes, at + 1), closer);
    if (at === NOT_JSON) return NOT_JSON;
  }
}

/** Where the next value in an array or object begins: in an object, its key comes before it. */
function nextValue(bytes: Uint8Array, at: number, closer: number): number {
  return closer === CLOSE_BRACE
    ? afterColon(bytes, endOfString(bytes, at))
    : at;
}

function afterColon(bytes: Uint8Array, keyEnd: number): number {
  if (keyEnd === NOT_JSON) return NOT_JSON;
  const at = skipSpace(bytes, keyEnd);
  return bytes[at] === COLON ? skipSpace(bytes, at + 1) : NOT_JSON;
}

function endOfScalar(bytes: Uint8Array, start: number): number {
  const first = bytes[start];
  if (first === QUOTE) return endOfString(bytes, start);
  if (first === MINUS || isDigit(first)) return endOfNumber(bytes, start);
  const word = WORDS.find(([byte]) => byte === first);
  return word?.every((byte, i) => bytes[start + i] === byte) === true
    ? start + word.length
    : NOT_JSON;
}

function endOfNumber(bytes: Uint8Array, start: number): number {
  let at = bytes[start] === MINUS ? start + 1 : start;
  // No digit may follow a leading zero.
  at = bytes[at] === ZERO ? at + 1 : afterDigits(bytes, at);
  if (at !== NOT_JSON && bytes[at] === DOT) at = afterDigits(bytes, at + 1);
  // With this bit set a letter is small.
  if (at !== NOT_JSON && ((bytes[at] ?? 0) | 0x20) === 0x65) {
    const sign = bytes[at + 1];
    at = afterDigits(bytes, sign === PLUS || sign === MINUS ? at + 2 : at + 1);
  }
  return at;
}

/** Behind one digit or more. */
function afterDigits(bytes: Uint8Array, from: number): number {
  let at = from;
  while (isDigit(bytes[at])) at += 1;
  return at === from ? NOT_JSON : at;
}

function endOfString(bytes: Uint8Array, start: number): number {
  if (bytes[start] !== QUOTE) return NOT_JSON;
  const { length } = bytes;
  let at = start + 1;
  while (at < length) {
    const byte = bytes[at]!;
    if (PLAIN[byte] === 1) {
      at += 1;
      continue;
    }
    if (byte === QUOTE) return at + 1;
    if (byte === BACKSLASH) at = endOfEscape(bytes, at + 1);
    else at = byte < 0x80 ? NOT_JSON : endOfCharacter(bytes, at);
    if (at === NOT_JSON) return NOT_JSON;
  }
  return NOT_JSON;
}

function endOfEscape(bytes: Uint8Array, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) return NOT_JSON;
  if (byte !== LETTER_U) return ESCAPES.includes(byte) ? at + 1 : NOT_JSON;
  for (let i = at + 1; i <= at + 4; i++)
    if (!isHexDigit(bytes[i])) return NOT_JSON;
  return at + 5;
}

/** Where a character of two to four bytes ends. UTF-8 has one spelling for each character, and none for half of a surrogate pair. */
function endOfCharacter(bytes: Uint8Array, at: number): number {
  const first = bytes[at]!;
  const second = bytes[at + 1] ?? 0;
  if (first < 0xc2 || first > 0xf4 || !isContinuation(second)) return NOT_JSON;
  if (first < 0xe0) return at + 2;
  if (!isContinuation(bytes[at + 2])) return NOT_JSON;
  if (first < 0xf0) {
    const isOne = first === 0xe0 ? second >= 0xa0 : true;
    return isOne && (first !== 0xed || second < 0xa0) ? at + 3 : NOT_JSON;
  }
  if (!isContinuation(bytes[at + 3])) return NOT_JSON;
  const isOne = first === 0xf0 ? second >= 0x90 : true;
  return isOne && (first !== 0xf4 || second < 0x90) ? at + 4 : NOT_JSON;
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x80 && byte < 0xc0;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

function isHexDigit(byte: number | undefined): boolean {
  if (byte === undefined) return false;
  const small = byte | 0x20;
  return isDigit(byte) || (small >= 0x61 && small <= 0x66);
}

function isSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function bytesOf(ascii: string): number[] {
  return Array.from(ascii, (letter) => letter.charCodeAt(0));
}
