const TYPE = /^[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*$/;
const MAX_LENGTH = 256;

/** Whether a text is a dotted event type: `order.paid`. */
export function isEventType(text: string): boolean {
  return text.length <= MAX_LENGTH && TYPE.test(text);
}

/** Whether a text is an event type pattern: `order.paid`, `order.*` or `*`. */
export function isTypePattern(text: string): boolean {
  if (text === "*") return true;
  return isEventType(text.endsWith(".*") ? text.slice(0, -2) : text);
}

/**
 * Whether a pattern wants a type. `order.*` wants every type below `order`, at any depth, and not `order` itself;
 * `*` wants everything.
 */
export function matchesType(pattern: string, type: string): boolean {
  if (pattern === "*" || pattern === type) return true;
  return (
    pattern.endsWith(".*") &&
    type.length >= pattern.length &&
    type.startsWith(pattern.slice(0, -1))
  );
}

/**
 * Every pattern that wants a type, so that an index of patterns can be asked instead of each pattern being tested:
 * `order.paid.late` gives itself, `order.paid.*`, `order.*` and `*`. A pattern is among them exactly where `matchesType`
 * says yes.
 */
export function patternsOf(type: string): ReadonlySet<string> {
  const patterns = new Set(["*", type]);
  // A pattern wants what lies below it: the dot must have something behind it.
  for (let dot = type.indexOf("."); dot >= 0; dot = type.indexOf(".", dot + 1))
    if (dot + 1 < type.length) patterns.add(`${type.slice(0, dot)}.*`);
  return patterns;
}
