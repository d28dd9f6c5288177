/**
 * The web-standard globals that core uses. Node, browsers and workers all have them; they are typed here because
 * core compiles without the types of any platform.
 */
export interface WebUrl {
  readonly href: string;
  readonly origin: string;
  readonly protocol: string;
  readonly username: string;
  readonly password: string;
  /** Normalised; an IPv6 address has brackets. */
  readonly hostname: string;
  /** Empty if it is the scheme's default port. */
  readonly port: string;
  readonly pathname: string;
  readonly search: string;
}

interface WebGlobals {
  readonly URL: { parse(text: string): WebUrl | null };
  readonly TextDecoder: new (
    label: string,
    options: { fatal: boolean },
  ) => { decode(bytes: Uint8Array): string };
  readonly TextEncoder: new () => { encode(text: string): Uint8Array };
  /** Decodes base64 into a text of one character for each byte. Throws if it is none. */
  atob(base64: string): string;
}

// every platform that runs this code has these four by the WHATWG standards
const globals = globalThis as unknown as WebGlobals;

/** The WHATWG URL of a text, or `null` if the text is not a URL. */
export function parseUrl(text: string): WebUrl | null {
  return globals.URL.parse(text);
}

const strictDecoder = new globals.TextDecoder("utf-8", { fatal: true });
const encoder = new globals.TextEncoder();

/** The text of UTF-8 bytes, without a byte order mark; `undefined` if the bytes are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strictDecoder.decode(bytes);
  } catch {
    return undefined;
  }
}

export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** The bytes of a base64 text; `undefined` if it is none. */
export function fromBase64(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.from(
      globals.atob(text),
      (character) => character.codePointAt(0) ?? 0,
    );
  } catch {
    return undefined;
  }
}
