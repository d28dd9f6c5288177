/** Paths that lead to one value of a JSON text, such as `$.order.lines[0].sku`: the singular queries of JSONPath (RFC 9535), without negative indexes. */
import { elementAt, objectAt, type Span } from "./json-spans.ts";

/** Names of members and numbers of elements, from the outside in; empty for the whole value. */
export type FieldPath = readonly (string | number)[];

/** What a path may look like, for messages. */
export const FIELD_PATH_FORM =
  'such as $ (the whole value), $.order.id, $.lines[0] or $["odd name"]';

/** A name behind a dot; an element's number; a name in quotes, in which a backslash stands before a quote or another backslash. */
const STEP =
  /\.([^.[\]'"\s]+)|\[(0|[1-9]\d{0,8})\]|\['((?:[^'\\]|\\['"\\])*)'\]|\["((?:[^"\\]|\\['"\\])*)"\]/y;

/** Reads a path; null if the text is none. */
export function parseFieldPath(text: string): FieldPath | null {
  if (!text.startsWith("$")) return null;
  const steps: (string | number)[] = [];
  let at = 1;
  while (at < text.length) {
    STEP.lastIndex = at;
    const match = STEP.exec(text);
    if (match === null) return null;
    const [whole, name, index, single, double] = match;
    const quoted = single ?? double ?? "";
    if (index !== undefined) steps.push(Number(index));
    else steps.push(name ?? quoted.replace(/\\(.)/g, "$1"));
    at += whole.length;
  }
  return steps;
}

/**
 * Where the value is to which the path leads from the one that begins at `from`; null if there is none. Of a member that is
 * repeated the last one counts, as with JSON.parse. The bytes must be valid JSON.
 */
export function valueAtPath(
  bytes: Uint8Array,
  path: FieldPath,
  whole: Span,
): Span | null {
  let span: Span | null = whole;
  for (const step of path) {
    if (span === null) return null;
    span =
      typeof step === "number"
        ? elementAt(bytes, span.start, step)
        : memberAt(bytes, span.start, step);
  }
  return span;
}

function memberAt(bytes: Uint8Array, from: number, name: string): Span | null {
  const members = objectAt(bytes, from)?.members;
  return members?.findLast(({ key }) => key === name)?.value ?? null;
}
