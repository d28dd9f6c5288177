const SECRET_NAME =
  /auth|cookie|token|secret|passw|key|credential|session|signature/i;

/** Whether a header's value is likely a secret, by its name: it is shown and stored as `[redacted]`. Rather one too many. */
export function isSecretHeader(name: string): boolean {
  return SECRET_NAME.test(name);
}
