/** What a proxy says for a registry can be a whole page. */
const MOST_CHARS = 300;

/** What an error says. That of a host of which several addresses were tried says nothing itself: the errors in it do. */
export function failureReason(error: unknown): string {
  const whole =
    error instanceof Error && "errors" in error && Array.isArray(error.errors)
      ? error.errors.map(String).join("; ")
      : String(error);
  return whole.slice(0, MOST_CHARS);
}
