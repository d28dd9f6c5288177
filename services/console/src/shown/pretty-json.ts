/** The indents of a deeper text would fill the memory: those of 65,000 brackets take gigabytes. */
export const MAX_DEPTH = 64;

/** A JSON text with line breaks and indents; null for a text that is no JSON, or is nested deeper than `MAX_DEPTH`. Every token stays as it was written: numbers beyond 2^53 are not rounded, and a name that is there twice stays. */
export function prettyJson(text: string): string | null {
  if (!isJson(text)) return null;
  let depth = 0;
  let pretty = "";
  const line = (): string => `\n${"  ".repeat(depth)}`;
  const tokens = text.match(TOKEN) ?? [];
  for (const [at, token] of tokens.entries()) {
    const next = tokens[at + 1];
    switch (token) {
      case "{":
      case "[":
        depth += 1;
        if (depth > MAX_DEPTH) return null;
        pretty += next === "}" || next === "]" ? token : token + line();
        break;
      case "}":
      case "]": {
        depth -= 1;
        const before = tokens[at - 1];
        pretty += before === "{" || before === "[" ? token : line() + token;
        break;
      }
      case ",":
        pretty += token + line();
        break;
      case ":":
        pretty += ": ";
        break;
      default:
        pretty += token;
    }
  }
  return pretty;
}

/** A string, a sign, or anything between them: a number, `true`, `false` or `null`. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
