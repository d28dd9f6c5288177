import type { Outcome } from "./vocabulary.ts";

/** The outcome of a final HTTP status: 2xx delivered, 3xx a redirect (never followed), the rest an error. A status below 200 is not final: a protocol error. */
export function classifyStatus(statusCode: number): Outcome {
  if (statusCode < 200 || !Number.isInteger(statusCode))
    return "protocol_error";
  if (statusCode < 300) return "delivered";
  if (statusCode < 400) return "redirect";
  return "http_error";
}

/** Whether a status means that the endpoint is gone for good (410). */
export function isGone(statusCode: number | null): boolean {
  return statusCode === 410;
}
