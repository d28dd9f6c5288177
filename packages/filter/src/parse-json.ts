/**
 * JSON as CEL has it: an integer is an `int` of 64 bits, exactly, or a `uint` where it is larger; a number with a fraction or an exponent
 * is a `double`. JSON.parse would make a double of every number, and round those above 2^53. Of equal names in an object the last one
 * counts, as with JSON.parse.
 */
import { celUint, type CelUint } from "@bufbuild/cel";

export type JsonValue =
  | string
  | number
  | bigint
  | CelUint
  | boolean
  | null
  | readonly JsonValue[]
  | ReadonlyMap<string, JsonValue>;

export type ParsedJson =
  | { readonly ok: true; readonly value: JsonValue }
  | { readonly ok: false; readonly reason: string };

/** Deeper payloads are refused: what reads them calls itself. */
const MAX_DEPTH = 100;

/** Never throws. The reason says nothing of the text's content. */
export function parseJson(bytes: Uint8Array): ParsedJson {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return { ok: false, reason: "the payload is not JSON: not UTF-8" };
  }
  try {
    return { ok: true, value: new JsonReader(text).read() };
  } catch (error) {
    if (error instanceof JsonError) return { ok: false, reason: error.message };
    throw error;
  }
}

class JsonError extends Error {
  override readonly name = "JsonError";
}

/** A string without escapes, which is most of them: up to its end, or what ends it otherwise. */
// eslint-disable-next-line no-control-regex
const PLAIN = /[^"\\\u0000-\u001f]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y;
const MAX_INT = 2n ** 63n - 1n;
const MIN_INT = -(2n ** 63n);
const MAX_UINT = 2n ** 64n - 1n;
/** So many digits always fit a double without loss, and are read faster that way. */
const SAFE_DIGITS = 15;
/** More digits fit no integer of 64 bits. */
const MAX_DIGITS = 20;

class JsonReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  read(): JsonValue {
    const value = this.#value(0);
    this.#skipSpace();
    if (this.#at < this.#text.length) throw this.#unexpected();
    return value;
  }

  #value(depth: number): JsonValue {
    this.#skipSpace();
    switch (this.#text.charCodeAt(this.#at)) {
      case 0x7b:
        return this.#object(depth + 1);
      case 0x5b:
        return this.#array(depth + 1);
      case 0x22:
        return this.#string();
      case 0x74:
        return this.#word("true", true);
      case 0x66:
        return this.#word("false", false);
      case 0x6e:
        return this.#word("null", null);
      default:
        return this.#number();
    }
  }

  #object(depth: number): ReadonlyMap<string, JsonValue> {
    const fields = new Map<string, JsonValue>();
    this.#open(depth);
    if (this.#isNext(0x7d)) return fields;
    for (;;) {
      this.#skipSpace();
      if (this.#text.charCodeAt(this.#at) !== 0x22) throw this.#unexpected();
      const name = this.#string();
      if (!this.#isNext(0x3a)) throw this.#unexpected();
      fields.set(name, this.#value(depth));
      if (this.#isNext(0x7d)) return fields;
      if (!this.#isNext(0x2c)) throw this.#unexpected();
    }
  }

  #array(depth: number): readonly JsonValue[] {
    const elements: JsonValue[] = [];
    this.#open(depth);
    if (this.#isNext(0x5d)) return elements;
    for (;;) {
      elements.push(this.#value(depth));
      if (this.#isNext(0x5d)) return elements;
      if (!this.#isNext(0x2c)) throw this.#unexpected();
    }
  }

  #open(depth: number): void {
    if (depth > MAX_DEPTH)
      throw new JsonError(`the payload is nested deeper than ${MAX_DEPTH}`);
    this.#at += 1;
  }

  #string(): string {
    const start = this.#at;
    PLAIN.lastIndex = start + 1;
    PLAIN.exec(this.#text);
    let end = PLAIN.lastIndex;
    if (this.#text.charCodeAt(end) === 0x22) {
      this.#at = end + 1;
      return this.#text.slice(start + 1, end);
    }
    while (this.#text.charCodeAt(end) === 0x5c) {
      PLAIN.lastIndex = end + 2; // past the character that is escaped
      if (PLAIN.lastIndex > this.#text.length) break;
      PLAIN.exec(this.#text);
      end = PLAIN.lastIndex;
    }
    this.#at = end;
    if (this.#text.charCodeAt(end) !== 0x22) throw this.#unexpected();
    this.#at = end + 1;
    try {
      return JSON.parse(this.#text.slice(start, end + 1)) as string; // a JSON string or an error
    } catch {
      this.#at = start;
      throw this.#unexpected();
    }
  }

  #number(): JsonValue {
    NUMBER.lastIndex = this.#at;
    const found = NUMBER.exec(this.#text);
    if (found === null) throw this.#unexpected();
    this.#at = NUMBER.lastIndex;
    const [text, fraction, exponent] = found;
    if (fraction !== undefined || exponent !== undefined) return Number(text);
    if (text.length <= SAFE_DIGITS) return BigInt(Number(text));
    if (text.length > MAX_DIGITS) return Number(text);
    const integer = BigInt(text);
    if (integer >= MIN_INT && integer <= MAX_INT) return integer;
    return integer > 0n && integer <= MAX_UINT
      ? celUint(integer)
      : Number(text);
  }

  #word<T extends JsonValue>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw this.#unexpected();
    this.#at += word.length;
    return value;
  }

  /** Skips white space and, where it follows, this character. */
  #isNext(code: number): boolean {
    this.#skipSpace();
    if (this.#text.charCodeAt(this.#at) !== code) return false;
    this.#at += 1;
    return true;
  }

  #skipSpace(): void {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at);
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09)
        return;
      this.#at += 1;
    }
  }

  #unexpected(): JsonError {
    const place =
      this.#at >= this.#text.length
        ? "it ends too early"
        : `at character ${this.#at + 1}`;
    return new JsonError(`the payload is not JSON: ${place}`);
  }
}
