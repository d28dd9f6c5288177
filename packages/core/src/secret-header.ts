const SECRET_NAME =
  /auth|cookie|token|secret|passw|key|credential|session|signature/i;

/** What stands where a secret was. */
export const REDACTED = "[redacted]";

/** Whether a header's value is likely a secret, by its name: it is shown and stored as `[redacted]`. Rather one too many. */
export function isSecretHeader(name: string): boolean {
  return SECRET_NAME.test(name);
}

/** Headers as they may be stored and shown. A delivery carries the real ones, because its receiver gets them. */
export function redactedHeaders(
  headers: Readonly<Record<string, string>>,
): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [
      name,
      isSecretHeader(name) ? REDACTED : value,
    ]),
  );
}
