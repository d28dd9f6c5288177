/** JSON read without rounding: JavaScript's numbers do not hold a 64-bit integer, so what may be any JSON stays the text that it is. */

/** The value as a text: that of a JSON string, else the JSON itself. Null stands for NULL. */
export function valueText(json: string): string | null {
  if (json === "null") return null;
  return json.startsWith('"') ? (JSON.parse(json) as string) : json; // a JSON string is a text
}

/** The fields of an object, each as its JSON text; null for what is no object. Of a name that is there twice it is the last one. */
export function fieldTextsOf(json: string): ReadonlyMap<string, string> | null {
  const object = json.trim();
  if (!object.startsWith("{")) return null;
  return new Map(
    membersOf(object).map((member) => {
      const end = endOfString(member, 0);
      const colon = member.indexOf(":", end);
      return [
        JSON.parse(member.slice(0, end)) as string, // a name is a string
        member.slice(colon + 1).trim(),
      ];
    }),
  );
}

/**
 * What parses a page whose `list` has entries with fields of any JSON: these are their JSON texts, or null where there is none. All
 * else is as `JSON.parse` has it. It throws a `SyntaxError` where the text is no JSON.
 */
export function keepingTexts(
  list: string,
  kept: readonly string[],
): (text: string) => unknown {
  return (text) => {
    const page = JSON.parse(text) as Readonly<Record<string, unknown>>; // what the API documents
    const entries = (page[list] ?? []) as readonly object[];
    const texts = membersOf(fieldTextsOf(text)?.get(list) ?? "[]");
    return {
      ...page,
      [list]: entries.map((entry, n) => ({
        ...entry,
        ...textsOf(texts[n] ?? "", kept),
      })),
    };
  };
}

function textsOf(entry: string, kept: readonly string[]): object {
  const texts = fieldTextsOf(entry);
  const textOf = (name: string): string | null => {
    const text = texts?.get(name) ?? "null";
    return text === "null" ? null : text;
  };
  return Object.fromEntries(kept.map((name) => [name, textOf(name)]));
}

/** The texts of what is in an object or array of valid JSON, without those of deeper ones. */
export function membersOf(json: string): readonly string[] {
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
