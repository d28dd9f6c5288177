/**
 * What the API answers, a public contract, as far as the console reads it. Declared a second time, because a service imports no
 * other; tests/console-answers.test.ts holds it against control's document. Closed lists are texts here: a newer control may have words that
 * this page does not know.
 */

export type Role = "admin" | "reader" | "publisher";

/** `GET /v1/caller`. */
export interface Caller {
  readonly keyId: string;
  readonly role: Role;
  /** Null: the key sees every tenant. */
  readonly tenantId: string | null;
}

/** A row of `GET /v1/deliveries`. Times are RFC 3339 in all answers. */
export interface Delivery {
  readonly id: string;
  readonly tenantId: string;
  readonly endpointId: string;
  readonly eventId: string;
  readonly eventType: string;
  readonly status: string;
  readonly attempts: number;
  readonly outcome: string | null;
  readonly statusCode: number | null;
  readonly errorCode: string | null;
  readonly durationMs: number;
  readonly receivedAt: string | null;
  readonly changedAt: string | null;
  readonly nextAttemptAt: string | null;
  readonly deferralReason: string | null;
  readonly deadLetterReason: string | null;
  readonly replayId: string | null;
}

export interface DeliveryPage {
  readonly deliveries: readonly Delivery[];
  readonly nextCursor: string | null;
}

export interface EventEntry {
  readonly kind: "event";
  readonly at: string | null;
  readonly decidedAt: string | null;
  readonly occurredAt: string | null;
  readonly decision: string;
  readonly payloadBytes: number;
}

export interface AttemptEntry {
  readonly kind: "attempt";
  readonly at: string | null;
  readonly attemptNumber: number;
  readonly trigger: string;
  readonly outcome: string | null;
  readonly statusCode: number | null;
  readonly durationMs: number;
  readonly queueMs: number;
  readonly dnsMs: number;
  readonly connectMs: number;
  readonly tlsMs: number;
  readonly ttfbMs: number;
  readonly isReused: boolean;
  /** Not there for a tenant's key. */
  readonly remoteAddress?: string | null;
  readonly errorCode: string | null;
  readonly error: string | null;
  readonly responseHeaders: Readonly<Record<string, string>>;
  readonly responseBody: string | null;
  readonly tier: string | null;
  readonly status: string;
  readonly deferralReason: string | null;
  readonly nextAttemptAt: string | null;
  readonly deadLetterReason: string | null;
  readonly replayId: string | null;
}

export interface DeferralEntry {
  readonly kind: "deferral";
  readonly at: string | null;
  readonly deferralReason: string | null;
  readonly nextAttemptAt: string | null;
  readonly status: string;
}

export interface SignalEntry {
  readonly kind: "signal";
  readonly at: string | null;
  readonly signal: string;
  readonly detail: string;
}

export interface DeadLetterEntry {
  readonly kind: "dead_letter";
  readonly at: string | null;
  readonly reason: string;
  readonly detail: string | null;
}

export type TimelineEntry =
  EventEntry | AttemptEntry | DeferralEntry | SignalEntry | DeadLetterEntry;

/** `GET /v1/deliveries/{id}`. */
export interface DeliveryWithTimeline extends Delivery {
  /** Oldest first. */
  readonly timeline: readonly TimelineEntry[];
  /** There is more than is shown. */
  readonly truncated: boolean;
}

/** `GET /v1/events/{id}/payload`. */
export interface EventPayload {
  readonly contentType: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly payloadBytes: number;
  /** Null where payloads are not recorded. */
  readonly payload: string | null;
  readonly encoding: "utf8" | "base64";
}

/** `GET /v1/endpoints/{id}`. */
export interface Endpoint {
  readonly id: string;
  readonly url: string;
  readonly description: string;
  readonly state: string;
  readonly stateReason: string | null;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
}
