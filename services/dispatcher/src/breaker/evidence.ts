/** What an attempt says about its endpoint's health, for the breaker and for the hold by `Retry-After`. Pure. */
import { isGone, parseRetryAfter, type EpochMs } from "@postrider/core";
import type { AttemptResult } from "../send/attempt-result.ts";

export type Evidence =
  /** It took the delivery. */
  | "well"
  /** It could not: no status, a 5xx, 408, or a 429 that does not say how long to wait. */
  | "failing"
  /** It answers, but not to this delivery: a 3xx, or a 4xx. Another delivery may fare better, so it neither opens a breaker nor breaks a run of failures. */
  | "refusing"
  /** It is well, and wants to be left alone until a time that it names: a 429 with `Retry-After`. The hold does what a breaker would. */
  | "busy"
  /** The attempt says nothing: its address is blocked, or the endpoint is gone for good. */
  | "none";

type Shown = Pick<AttemptResult, "outcome" | "statusCode" | "retryAfter">;

const REQUEST_TIMEOUT = 408;
const TOO_MANY_REQUESTS = 429;
const UNAVAILABLE = 503;
/** Of what the endpoint asks for, the lane waits at most this, ms, like the longest wait of an open breaker. The delivery that was answered waits as long as it was told, up to 24 h. */
export const LONGEST_HOLD_MS = 300_000;

export function evidenceOf(result: Shown, now: EpochMs): Evidence {
  const { outcome, statusCode } = result;
  if (outcome === "delivered") return "well";
  if (outcome === "blocked" || isGone(statusCode)) return "none";
  if (statusCode === TOO_MANY_REQUESTS)
    return holdMsOf(result, now) > 0 ? "busy" : "failing";
  const isRefusal =
    statusCode !== null && statusCode >= 300 && statusCode < 500;
  return isRefusal && statusCode !== REQUEST_TIMEOUT ? "refusing" : "failing";
}

/** How long the endpoint asks for no further requests (429 or 503 with `Retry-After`), ms, at most 5 minutes; 0 if it does not. */
export function holdMsOf(
  { statusCode, retryAfter }: Shown,
  now: EpochMs,
): number {
  if (statusCode !== TOO_MANY_REQUESTS && statusCode !== UNAVAILABLE) return 0;
  const askedMs = parseRetryAfter(retryAfter ?? undefined, now) ?? 0;
  return Math.min(askedMs, LONGEST_HOLD_MS);
}
