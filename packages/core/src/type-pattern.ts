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
 * Whether a pattern matches a type. `order.*` matches every type below `order`, at any depth, but not `order` itself;
 * `*` matches everything.
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
 * Every pattern that matches a type: for `order.paid.late` these are itself, `order.paid.*`, `order.*` and `*`. A caller
 * can look these up in an index instead of testing every pattern. A pattern is in the set exactly when `matchesType` is
 * true.
 */
export function patternsOf(type: string): ReadonlySet<string> {
  const patterns = new Set(["*", type]);
  // `a.*` does not match `a.`: there must be something after the dot.
  for (let dot = type.indexOf("."); dot >= 0; dot = type.indexOf(".", dot + 1))
    if (dot + 1 < type.length) patterns.add(`${type.slice(0, dot)}.*`);
  return patterns;
}
