import type { EpochMs } from "./time.ts";

/** The longest wait that a receiver may ask for. */
export const MAX_RETRY_AFTER_MS = 24 * 3_600_000;

/** The three spellings of HTTP-date (RFC 9110 §5.6.7); the last has no zone and means GMT. */
const HTTP_DATES = [
  /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{5,8}, \d{2}-[A-Z][a-z]{2}-\d{2} \d{2}:\d{2}:\d{2} GMT$/,
  /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d{2}:\d{2}:\d{2} \d{4}$/,
];

/**
 * The wait that a `Retry-After` header asks for, in ms from `now`, at most 24 h. The header holds seconds or an HTTP-date
 * (RFC 9110 §10.2.3). `undefined` for an invalid value, zero, a negative number or a date that is not in the future. Never
 * throws.
 */
export function parseRetryAfter(
  header: string | undefined,
  now: EpochMs,
): number | undefined {
  const text = header?.trim() ?? "";
  const askedMs = /^\d+$/.test(text)
    ? Number(text) * 1_000
    : dateOf(text) - now;
  return askedMs > 0 ? Math.min(askedMs, MAX_RETRY_AFTER_MS) : undefined;
}

function dateOf(text: string): EpochMs {
  const isDate = HTTP_DATES.some((pattern) => pattern.test(text));
  if (!isDate) return NaN;
  return Date.parse(text.endsWith(" GMT") ? text : `${text} GMT`);
}
