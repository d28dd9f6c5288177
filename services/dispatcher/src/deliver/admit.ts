/** Decides whether a delivery is attempted now (and where), waits, or is given up. Pure, except that it reads the table of endpoints. */
import {
  attemptsOf,
  INLINE_SCHEDULE,
  lastStartAt,
  REGISTERED_SCHEDULE,
  retryPolicyOf,
  type DeadLetterReason,
  type Delivery,
  type Endpoint,
  type EpochMs,
  type RetryPolicy,
  type SealedSecret,
  type SigningProfile,
} from "@postrider/core";
import { DEFAULT_MAX_CONCURRENCY } from "./endpoint-concurrency.ts";

/** Why a delivery waits without having spent an attempt. */
export type DeferralReason =
  | "endpoint_unknown"
  | "endpoint_behind"
  | "not_before"
  | "lane_slow"
  | "rate_limited"
  | "local_fault"
  | "secret_unavailable"
  | "breaker_open"
  | "retry_after";

/** Where and how one delivery is sent. */
export interface Target {
  readonly url: string;
  readonly secrets: readonly SealedSecret[];
  /** Signing profiles: which signature headers its requests carry. */
  readonly signing: readonly string[];
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly sealedHeaders: Endpoint["sealedHeaders"];
  readonly timeoutMs: number;
  readonly maxConcurrency: number;
  readonly policy: RetryPolicy;
  readonly isInline: boolean;
  /** 0 for inline. */
  readonly endpointVersion: number;
}

export type Admission =
  | { readonly kind: "send"; readonly target: Target }
  | {
      readonly kind: "defer";
      readonly reason: DeferralReason;
      readonly until: EpochMs;
      /** Since when the endpoint has been unknown. Stored in the record, so that the minute is also counted across processes. */
      readonly unknownSince: EpochMs | null;
    }
  | {
      readonly kind: "dead_letter";
      readonly reason: DeadLetterReason;
      readonly detail: string;
    };

/** What `admit` needs to know about endpoints. */
export interface EndpointView {
  get(endpointId: string): Endpoint | undefined;
  /** Whether the table is up to date: it holds all endpoints that exist. */
  isCurrent(): boolean;
  /** Whether this version of the endpoint has answered 410. */
  isGone(endpointId: string, version: number): boolean;
}

/** What a delivery that expired waited for last, for people. Only waits that count as age. */
const WAITED_FOR: Readonly<Record<string, string>> = {
  secret_unavailable:
    "it waited for a secret or a header that could not be used",
  breaker_open: "it waited for the endpoint's circuit breaker, which was open",
  retry_after: "it waited because the endpoint asked for a pause (Retry-After)",
};
const UNKNOWN_WAIT_MS = 1_000;
/** While the table is behind, deliveries of a paused endpoint wait so long each time; nobody is in a hurry to get them. */
const PAUSED_WAIT_MS = 10_000;
const UNKNOWN_LIMIT_MS = 60_000;
const MAX_TIMEOUT_MS = 60_000;
const INLINE_SIGNING: readonly SigningProfile[] = ["standard"];
const NO_HEADERS = Object.freeze({});

export function admit(
  delivery: Delivery,
  endpoints: EndpointView,
  now: EpochMs,
): Admission {
  const found = targetOf(delivery, endpoints, now);
  if (found.kind !== "send") return found;
  const { notBefore } = delivery;
  const { schedule, maxAgeMs } = found.target.policy;
  const attempts = attemptsOf(schedule);
  // Its endpoint got fewer attempts while the retry waited.
  if (delivery.trigger === "retry" && delivery.attemptNumber > attempts)
    return dead(
      "exhausted",
      `the endpoint allows fewer attempts now: ${attempts} in all`,
    );
  if (now > lastStartAt(delivery, maxAgeMs)) {
    const isPast = delivery.expiresAt !== null && now > delivery.expiresAt;
    const why = isPast ? "expiresAt has passed" : "its age is used up";
    const waited = WAITED_FOR[delivery.deferralReason ?? ""];
    return dead("expired", waited === undefined ? why : `${why}; ${waited}`);
  }
  if (notBefore !== null && notBefore > now)
    return {
      kind: "defer",
      reason: "not_before",
      until: notBefore,
      unknownSince: null,
    };
  return found;
}

function targetOf(
  delivery: Delivery,
  endpoints: EndpointView,
  now: EpochMs,
): Admission {
  if (delivery.inline !== null)
    return { kind: "send", target: inlineTarget(delivery.inline) };
  const endpoint = endpoints.get(delivery.endpointId);
  const unknownSince = delivery.endpointUnknownSince ?? now;
  // While the table is behind, it may lack an endpoint that exists: then an unknown endpoint is never taken for deleted.
  const isOver =
    now - unknownSince >= UNKNOWN_LIMIT_MS && endpoints.isCurrent();
  if (endpoint === undefined) {
    if (isOver)
      return dead(
        "endpoint_deleted",
        "the endpoint has been unknown for a minute",
      );
    return behind("endpoint_unknown", now, unknownSince);
  }
  // If the newer version does not appear within a minute, it never will: then the version in the table is used.
  if (endpoint.version < delivery.endpointVersion && !isOver)
    return behind("endpoint_behind", now, unknownSince);
  if (endpoints.isGone(endpoint.id, endpoint.version))
    return dead("endpoint_disabled", "it answered 410 Gone");
  if (endpoint.state === "disabled")
    return dead(
      "endpoint_disabled",
      endpoint.stateReason ?? "the endpoint is disabled",
    );
  if (endpoint.state === "paused") {
    // A resume counts on this: once its write is older than the time for which a table counts as current, nothing is parked any more.
    if (!endpoints.isCurrent())
      return behind("endpoint_behind", now, delivery.endpointUnknownSince, {
        waitMs: PAUSED_WAIT_MS,
      });
    return dead("paused", endpoint.stateReason ?? "the endpoint is paused");
  }
  return { kind: "send", target: registeredTarget(endpoint) };
}

function inlineTarget(inline: NonNullable<Delivery["inline"]>): Target {
  return {
    url: inline.url,
    secrets: inline.secrets,
    signing: INLINE_SIGNING,
    method: "POST",
    headers: NO_HEADERS,
    sealedHeaders: NO_HEADERS,
    timeoutMs: clampTimeout(inline.timeoutMs),
    maxConcurrency: DEFAULT_MAX_CONCURRENCY,
    policy: retryPolicyOf(inline, INLINE_SCHEDULE),
    isInline: true,
    endpointVersion: 0,
  };
}

function registeredTarget(endpoint: Endpoint): Target {
  return {
    url: endpoint.url,
    secrets: endpoint.secrets,
    signing: endpoint.signing,
    method: endpoint.method,
    headers: endpoint.headers,
    sealedHeaders: endpoint.sealedHeaders,
    timeoutMs: clampTimeout(endpoint.timeoutMs),
    maxConcurrency: endpoint.maxConcurrency,
    policy: retryPolicyOf(endpoint, REGISTERED_SCHEDULE),
    isInline: false,
    endpointVersion: endpoint.version,
  };
}

/** Within what an attempt may take, ms. */
export function clampTimeout(timeoutMs: number): number {
  return Math.min(Math.max(timeoutMs, 1), MAX_TIMEOUT_MS);
}

function behind(
  reason: "endpoint_unknown" | "endpoint_behind",
  now: EpochMs,
  unknownSince: EpochMs | null,
  { waitMs } = { waitMs: UNKNOWN_WAIT_MS },
): Admission {
  return { kind: "defer", reason, until: now + waitMs, unknownSince };
}

function dead(reason: DeadLetterReason, detail: string): Admission {
  return { kind: "dead_letter", reason, detail };
}
