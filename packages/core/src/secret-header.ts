const SECRET_NAME =
  /auth|cookie|token|secret|passw|key|credential|session|signature/i;

/** The text that replaces a secret. */
export const REDACTED = "[redacted]";

/** Whether a header's value is probably a secret, judged by its name. Such a value is shown and stored as `[redacted]`. A header too many is redacted rather than one too few. */
export function isSecretHeader(name: string): boolean {
  return SECRET_NAME.test(name);
}

/** Headers with secret values redacted, as they may be stored and shown. A delivery carries the real values, because its receiver gets them. */
export function redactedHeaders(
  headers: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  if (!hasAny(headers)) return NO_HEADERS;
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      isSecretHeader(name) ? REDACTED : value,
    ]),
  );
}

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({});

/** Costs less than the list of the names. */
export function hasAny(headers: object): boolean {
  for (const _ in headers) return true;
  return false;
}
