/**
 * Just enough of ClickHouse's lexer to tell words and symbols from text inside strings and comments. A text that this lexer
 * and ClickHouse could read differently (heredocs, typographic quotes and dashes, escapes in quoted names) is refused: if
 * the guard misjudged where a string ends, it could be bypassed.
 */
export interface SqlToken {
  /** `quoted`: an identifier in backticks or double quotes; its text is without them. */
  readonly kind: "word" | "quoted" | "string" | "number" | "symbol";
  readonly text: string;
  readonly start: number;
  readonly end: number;
}

export type Scan =
  | { readonly kind: "tokens"; readonly tokens: readonly SqlToken[] }
  | { readonly kind: "unreadable"; readonly message: string };

const SKIPPED = /[ \t\r\n\f\v]+|--[^\n]*|#[ !][^\n]*|\/\*[^]*?\*\//y;
const WORD = /[A-Za-z_][A-Za-z0-9_]*/y;
const NUMBER = /[0-9][A-Za-z0-9_.]*/y;
const STRING = /'(?:[^'\\]|\\[^]|'')*'/y;
const QUOTED = /`(?:[^`\\]|``)*`|"(?:[^"\\]|"")*"/y;
const SYMBOL = /[!%&()*+,\-./:;<=>?@[\]^{|}~]/y;

/** Never throws; its time is linear in the text. Comments and white space make no token. */
export function tokenize(text: string): Scan {
  const tokens: SqlToken[] = [];
  let at = 0;
  while (at < text.length) {
    const skipped = matchAt(SKIPPED, text, at);
    if (skipped === null) {
      const token = text.startsWith("/*", at) ? null : tokenAt(text, at);
      if (token === null)
        return { kind: "unreadable", message: whyAt(text, at) };
      tokens.push(token);
      at = token.end;
    } else at += skipped.length;
  }
  return { kind: "tokens", tokens };
}

const KINDS = [
  ["string", STRING],
  ["quoted", QUOTED],
  ["word", WORD],
  ["number", NUMBER],
  ["symbol", SYMBOL],
] as const;

function tokenAt(text: string, start: number): SqlToken | null {
  for (const [kind, pattern] of KINDS) {
    const found = matchAt(pattern, text, start);
    if (found === null) continue;
    const content = kind === "quoted" ? found.slice(1, -1) : found;
    return { kind, text: content, start, end: start + found.length };
  }
  return null;
}

function whyAt(text: string, at: number): string {
  const char = text.charAt(at);
  if (text.startsWith("/*", at)) return "ends inside a comment";
  if (char === "'") return "ends inside a string";
  if (char === '"' || char === "`")
    return "has a quoted name that does not end, or that holds a backslash";
  if (char === "$") return "must not use $ outside strings (no heredocs)";
  const code = char.charCodeAt(0).toString(16).padStart(4, "0");
  return `has a character that may only stand in strings (U+${code})`;
}

function matchAt(pattern: RegExp, text: string, at: number): string | null {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0] ?? null;
}
