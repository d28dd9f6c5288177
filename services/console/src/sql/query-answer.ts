import type { QueryAnswer } from "../api/answers-queries.ts";

/** A result as it came. A 64-bit integer is beyond what JavaScript's numbers hold, so each value stays the JSON text that it is in the answer. */
export interface Result extends Omit<QueryAnswer, "rows"> {
  readonly rows: readonly (readonly string[])[];
  /** The whole answer. */
  readonly text: string;
}

/** Reads what `POST /v1/query` and `GET /v1/queries/{name}` answer. Throws a `SyntaxError` where the text is no JSON. */
export function readResult(text: string): Result {
  // Its rows are dropped at once: their numbers may be rounded.
  const { columns, truncated, elapsedMs } = JSON.parse(text) as QueryAnswer; // what the API documents
  const name = '"rows":';
  const rows = members(text).find((member) => member.startsWith(name)) ?? name;
  return {
    columns,
    rows: members(rows.slice(name.length)).map(members),
    truncated,
    elapsedMs,
    text,
  };
}

/** The value as a text: that of a JSON string, else the JSON itself. Null stands for NULL. */
export function valueText(json: string): string | null {
  if (json === "null") return null;
  return json.startsWith('"') ? (JSON.parse(json) as string) : json; // a JSON string is a text
}

/** The texts of what is in an object or array of valid JSON, without those of deeper ones. */
function members(json: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let start = 1;
  let at = 0;
  const take = (): void => {
    const member = json.slice(start, at).trim();
    if (member !== "") found.push(member);
    start = at + 1;
  };
  while (at < json.length) {
    switch (json[at]) {
      case '"':
        at = endOfString(json, at);
        continue;
      case "{":
      case "[":
        depth += 1;
        break;
      case "}":
      case "]":
        depth -= 1;
        if (depth === 0) take();
        break;
      case ",":
        if (depth === 1) take();
        break;
      default:
    }
    at += 1;
  }
  return found;
}

/** Behind the quote that closes the string: one before which there is no backslash, or an even number of them. */
function endOfString(json: string, start: number): number {
  let quote = start;
  for (;;) {
    quote = json.indexOf('"', quote + 1);
    if (quote === -1) return json.length;
    let slashes = 0;
    while (json[quote - 1 - slashes] === "\\") slashes += 1;
    if (slashes % 2 === 0) return quote + 1;
  }
}
