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
