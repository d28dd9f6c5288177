/** The closed lists of Postrider's vocabulary, spelled as in Avro, JSON and SQL. */

export const OUTCOMES = [
  "delivered",
  "http_error",
  "redirect",
  "timeout",
  "connection_refused",
  "connection_reset",
  "connection_closed",
  "tls_error",
  "dns_error",
  "protocol_error",
  "response_too_large",
  "blocked",
] as const;
/** What one HTTP request showed. */
export type Outcome = (typeof OUTCOMES)[number];

export const DECISIONS = [
  "routed",
  "no_match",
  "filtered",
  "duplicate",
  "invalid",
  "refused",
] as const;
/** What route decided about one event. */
export type Decision = (typeof DECISIONS)[number];

export const DEAD_LETTER_REASONS = [
  "exhausted",
  "expired",
  "gone",
  "endpoint_disabled",
  "endpoint_deleted",
  "paused",
  "blocked",
  "unreadable",
  "invalid",
  "unknown_schema",
  "too_large",
  "row_refused",
] as const;
/** Why a delivery, or a record, was given up. */
export type DeadLetterReason = (typeof DEAD_LETTER_REASONS)[number];

export const TRIGGERS = [
  "first",
  "retry",
  "redrive",
  "replay",
  "test",
] as const;
/** Why an attempt was made. */
export type Trigger = (typeof TRIGGERS)[number];

export const STATUSES = ["pending", "failed", "delivered", "expired"] as const;
/** A delivery's status as users see it. `expired` means dead-lettered for any reason except `paused`. */
export type Status = (typeof STATUSES)[number];

export const SIGNING_PROFILES = ["standard", "hmac-hex"] as const;
/** A signature header: `standard` is `webhook-signature` (Standard Webhooks), `hmac-hex` is `x-webhook-signature` over the body alone. */
export type SigningProfile = (typeof SIGNING_PROFILES)[number];

/**
 * Stands beside the signing profiles of an endpoint that has `sealedHeaders`. A dispatcher sends nothing for a profile that it does not know,
 * so one from before sealed headers holds the endpoint's deliveries instead of sending them without the headers (decision 43).
 */
export const SEALED_HEADERS = "sealed-headers";

export const REQUEST_METHODS = ["POST", "PUT", "PATCH"] as const;
/** The HTTP method of an endpoint's requests. */
export type RequestMethod = (typeof REQUEST_METHODS)[number];
