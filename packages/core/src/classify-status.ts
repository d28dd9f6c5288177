import type { Outcome } from "./vocabulary.ts";

/** What a final HTTP status says: 2xx delivered, 3xx a redirect (never followed), the rest an error. A status below 200 is no answer. */
export function classifyStatus(statusCode: number): Outcome {
  if (statusCode < 200 || !Number.isInteger(statusCode))
    return "protocol_error";
  if (statusCode < 300) return "delivered";
  if (statusCode < 400) return "redirect";
  return "http_error";
}

/** Whether a status says that the endpoint is gone for good. */
export function isGone(statusCode: number | null): boolean {
  return statusCode === 410;
}
