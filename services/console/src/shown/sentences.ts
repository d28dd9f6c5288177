/** What the closed lists of words mean, as sentences for people. A word that this page does not know is shown as it is: control may be newer. */
import type {
  AttemptEntry,
  Delivery,
  DeadLetterEntry,
} from "../api/answers.ts";
import { counted, shownDuration } from "./amounts.ts";

const OUTCOMES: Readonly<Record<string, string>> = {
  redirect:
    "The receiver answered with a redirect, which is not followed: set the endpoint's URL to where it leads.",
  timeout: "The receiver did not answer in time.",
  connection_refused:
    "Nothing listens at the receiver's address, or a firewall refuses the connection.",
  connection_reset: "The receiver cut the connection off.",
  connection_closed: "The receiver closed the connection before it answered.",
  tls_error: "No secure connection: look at the receiver's certificate.",
  dns_error: "The host name of the endpoint's URL has no address.",
  protocol_error: "What came back is no valid HTTP.",
  response_too_large: "The receiver's answer is larger than is allowed.",
  blocked:
    "No request was made: the endpoint's address is not allowed (private, local, or denied by the operator).",
};

const STATUS_HINTS: Readonly<Record<number, string>> = {
  400: "The receiver does not accept the payload.",
  401: "The receiver does not accept the signature, or wants a credential.",
  403: "The receiver forbids it: its credential or its firewall may be wrong.",
  404: "The receiver has nothing at this path: look at the endpoint's URL.",
  405: "The receiver does not take this method at this path.",
  410: "The receiver says that it is gone for good, which disables the endpoint.",
  413: "The payload is too large for the receiver.",
  429: "The receiver asks for fewer requests.",
};

/** What one attempt showed. */
export function attemptSentence(
  attempt: Pick<AttemptEntry, "outcome" | "statusCode" | "durationMs">,
): string {
  const { outcome, statusCode, durationMs } = attempt;
  if (outcome === "delivered")
    return `The receiver accepted it${statusCode === null ? "" : ` with ${statusCode}`} in ${shownDuration(durationMs)}.`;
  if (outcome === "http_error" && statusCode !== null)
    return `The receiver answered ${statusCode}. ${STATUS_HINTS[statusCode] ?? classHint(statusCode)}`.trim();
  if (outcome === null) return "What it showed is not recorded.";
  return OUTCOMES[outcome] ?? `It ended as ${outcome}.`;
}

function classHint(statusCode: number): string {
  return statusCode >= 500
    ? "The fault is on the receiver's side."
    : "The receiver does not accept this request.";
}

const DEFERRALS: Readonly<Record<string, string>> = {
  not_before: "It is not to be sent before its time.",
  breaker_open:
    "The endpoint has failed too often, so its breaker is open: requests are held until a probe succeeds.",
  retry_after: "The receiver asked to wait (Retry-After).",
  rate_limited: "The endpoint's rate limit is used up for now.",
  lane_slow: "The endpoint is slow, and its deliveries wait for one another.",
  secret_unavailable: "The endpoint's secret cannot be opened at the moment.",
  endpoint_unknown: "The endpoint is not known to the dispatcher yet.",
  endpoint_behind:
    "The dispatcher does not have the endpoint's newest version yet.",
  local_fault: "The fault is on Postrider's side, and spends no attempt.",
};

/** Why a delivery waits without an attempt being made. */
export function deferralSentence(reason: string | null): string {
  if (reason === null) return "It waits.";
  return DEFERRALS[reason] ?? `It waits: ${reason}.`;
}

const DEAD_LETTERS: Readonly<Record<string, string>> = {
  exhausted: "All attempts are used up.",
  expired: "It became older than it may be.",
  gone: "The receiver answered 410, gone for good.",
  endpoint_disabled: "Its endpoint is disabled.",
  endpoint_deleted: "Its endpoint is deleted.",
  paused: "It is parked, because its endpoint is paused: a resume sends it.",
  blocked: "The endpoint's address is not allowed.",
  unreadable: "Its record cannot be read.",
  invalid: "It breaks a rule.",
  unknown_schema: "The schema of its record is not known.",
  too_large: "It is too large.",
  row_refused: "ClickHouse refused its row.",
};

/** Why a delivery was given up, or parked. */
export function deadLetterSentence(reason: DeadLetterEntry["reason"]): string {
  return DEAD_LETTERS[reason] ?? `It was given up: ${reason}.`;
}

/** How a delivery stands, and what follows. */
export function standingSentence(delivery: Delivery): string {
  const { status, attempts, deadLetterReason, deferralReason } = delivery;
  const made = counted(attempts, "attempt");
  if (status === "delivered") return `Delivered after ${made}.`;
  if (deadLetterReason === "paused") return deadLetterSentence("paused");
  if (status === "expired")
    return `Given up after ${made}. ${deadLetterSentence(deadLetterReason ?? "expired")}`;
  if (deferralReason !== null)
    return `Waiting after ${made}. ${deferralSentence(deferralReason)}`;
  if (status === "failed")
    return `The last of ${made} failed; another one will be made.`;
  return status === "pending"
    ? "Waiting for the first attempt."
    : `It is ${status}.`;
}

const LEFT_OUT: Readonly<Record<string, string>> = {
  delivered: "The endpoint has got this event meanwhile.",
  under_way: "It is being sent already.",
  parked: "It is parked: resume its endpoint.",
  filtered: "The endpoint's filter does not take it.",
  endpoint_deleted: "Its endpoint is deleted.",
  endpoint_disabled: "Its endpoint is disabled: enable it, and send again.",
  expires_at_passed: "The time until which it was wanted (expiresAt) is over.",
  payload_gone: "Its payload is kept no more.",
  unreadable: "Its dead letter cannot be read; control's log says which.",
  headers_redacted: "The values of its secret headers are not kept.",
};

/** Why a redrive would not send a delivery. */
export function leftOutSentence(reason: string): string {
  return LEFT_OUT[reason] ?? `${reason.replaceAll("_", " ")}.`;
}
