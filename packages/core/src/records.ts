// Generated from schemas/*.avsc by `npm run types`. Do not edit.

import type { EpochMs } from "./time.ts";

/** What a delivery's last attempt showed, in short. */
export interface LastAttempt {
  /** Its number, 1-based: as many attempts were made. */
  readonly attemptNumber: number;
  /** One of the closed list of outcomes. */
  readonly outcome: string;
  /** HTTP status. */
  readonly statusCode: null | number;
  /** System or library code, such as ECONNREFUSED. */
  readonly errorCode: null | string;
  /** From started to decided. */
  readonly durationMs: number;
}

/** One HTTP request and what it showed; also the first deferral per delivery and reason, with attemptNumber 0 and no outcome. */
export interface Attempt {
  /** The delivery. */
  readonly deliveryId: string;
  /** The webhook-id sent. */
  readonly webhookId: string;
  /** Owner. */
  readonly tenantId: string;
  /** The event. */
  readonly eventId: string;
  /** The event's type. */
  readonly eventType: string;
  /** The endpoint. */
  readonly endpointId: string;
  /** 1-based; 0 for a deferral. */
  readonly attemptNumber: number;
  /** The delivery's step when this began. */
  readonly step: number;
  /** first, retry, redrive, replay or test. */
  readonly trigger: string;
  /** The replay. */
  readonly replayId: null | string;
  /** The event record's timestamp, but not before the start of yesterday (UTC) and not in the future. */
  readonly receivedAt: EpochMs;
  /** When the request, or the deferral, began. */
  readonly startedAt: EpochMs;
  /** From due to started. */
  readonly queueMs: number;
  /** From started to decided. */
  readonly durationMs: number;
  /** Name resolution, 0 on a reused connection. */
  readonly dnsMs: number;
  /** TCP connect. */
  readonly connectMs: number;
  /** TLS handshake. */
  readonly tlsMs: number;
  /** From request to first header byte. */
  readonly ttfbMs: number;
  /** The request went over a connection that had served before. */
  readonly isReused: boolean;
  /** The IP address to which the request was sent, for operators alone; null if none was sent. */
  readonly remoteAddress: null | string;
  /** One of the closed list of outcomes; null for a deferral. */
  readonly outcome: null | string;
  /** HTTP status. */
  readonly statusCode: null | number;
  /** System or library code, such as ECONNREFUSED. */
  readonly errorCode: null | string;
  /** What went wrong, for people. */
  readonly error: null | string;
  /** The delivery's status after this: pending, failed, delivered or expired. */
  readonly status: string;
  /** What follows: done, retry, defer or dead_letter. */
  readonly disposition: string;
  /** When the next attempt is due. */
  readonly nextAttemptAt: null | EpochMs;
  /** The first tier it waits in. */
  readonly tier: null | string;
  /** Why it was deferred. */
  readonly deferralReason: null | string;
  /** Why it was given up. */
  readonly deadLetterReason: null | string;
  /** Of a deferral: what the delivery's last attempt showed. Null before the first, and for an attempt. */
  readonly lastAttempt: null | LastAttempt;
  /** Body bytes sent. */
  readonly requestBytes: number;
  /** Body bytes read. */
  readonly responseBytes: number;
  /** At most 16 KiB, never inflated. */
  readonly responseBody: Uint8Array;
  /** Secret values redacted; at most 16 KiB. */
  readonly responseHeaders: Readonly<Record<string, string>>;
  /** Which process made the attempt. */
  readonly worker: string;
  /** Topic of the event's own record. */
  readonly sourceTopic: string;
  /** Partition of the event's own record. */
  readonly sourcePartition: number;
  /** Offset of the event's own record. */
  readonly sourceOffset: number;
}

/** Who changed what, and why. */
export interface AuditEntry {
  /** When the change was written, by control's clock. */
  readonly at: EpochMs;
  /** Id of the key that asked for the change; postrider for what no caller asked for. */
  readonly actor: string;
  /** Owner of the subject; null where it belongs to no single tenant. */
  readonly tenantId: null | string;
  /** What kind of thing was changed: endpoint, key, replay, event_type or type_policy. */
  readonly subject: string;
  /** Its id. */
  readonly subjectId: string;
  /** What happened to it: created, changed, paused, revoked and so on. */
  readonly action: string;
  /** The reason in the caller's words; empty where none was given. */
  readonly why: string;
  /** What changed, by field, as a JSON object. Never a secret, a key or a header's value. */
  readonly detail: string;
  /** Id of the request; empty where no caller asked for the change. */
  readonly requestId: string;
}

/** A partition of dead-letters in which parked deliveries of the endpoint may be. */
export interface ResumePlace {
  /** The partition. */
  readonly partition: number;
  /** Offset at which this resume began. */
  readonly from: number;
  /** Everything below this offset was sent again or is none of ours. */
  readonly position: number;
  /** The log's end up to which it reads, as last asked for. */
  readonly end: number;
}

/** The deliveries that are parked for an endpoint, and the durable job that sends them again. */
export interface Resume {
  /** The endpoint. */
  readonly endpointId: string;
  /** Owner. */
  readonly tenantId: string;
  /** rsm_ and 24 characters, new at each start; empty until the first. */
  readonly id: string;
  /** parked (not started yet), running, done, cancelled or ended. */
  readonly state: string;
  /** Why it was cancelled or ended, or what it could not send. */
  readonly detail: string;
  /** Version of the endpoint at the start. What is sent again waits where this version is not known yet. */
  readonly endpointVersion: number;
  /** How many partitions dead-letters had when the places were last noted. */
  readonly partitions: number;
  /** One, and one more for each that partitions added to dead-letters have made. */
  readonly places: readonly ResumePlace[];
  /** Deliveries that this resume has sent again. */
  readonly sent: number;
  /** Dead letters that this resume has read and that are none of its own. */
  readonly skipped: number;
  /** Dead letters that this resume could not read, so it has not sent them if they were its own. */
  readonly unreadable: number;
  /** Offsets that dead-letters held no longer when this resume came to read them. */
  readonly lost: number;
  /** When the endpoint was paused. */
  readonly pausedAt: EpochMs;
  /** When this resume was started. */
  readonly startedAt: null | EpochMs;
  /** When it was done, cancelled or ended. */
  readonly finishedAt: null | EpochMs;
}

/** How many requests may come, to each process. */
export interface KeyLimit {
  /** Requests a second in the long run; more than 0. */
  readonly perSecond: number;
  /** Requests that may come at once after a rest; 1 or more. */
  readonly burst: number;
}

/** Who may call the APIs, and as what. Of the key's own text only a hash is stored. */
export interface ApiKey {
  /** 16 of 0-9 a-f; a part of the key's text. */
  readonly id: string;
  /** For people. */
  readonly name: string;
  /** admin, publisher or reader. */
  readonly role: string;
  /** The one tenant that it may see and change; null: every tenant. */
  readonly tenantId: null | string;
  /** SHA-256 of the key's text, prk_ and all. */
  readonly hash: Uint8Array;
  /** Null: no limit. */
  readonly limit: null | KeyLimit;
  /** Id of the key that made it; admin for POSTRIDER_ADMIN_KEY. */
  readonly createdBy: string;
  /** When it was made. */
  readonly createdAt: EpochMs;
  /** From when on it is refused; null: never. */
  readonly expiresAt: null | EpochMs;
  /** When it was revoked: refused from then on. Null: it was not. */
  readonly revokedAt: null | EpochMs;
}

/** Which deliveries a replay selects: those that match every condition that is set. */
export interface ReplaySelection {
  /** These deliveries; empty: no condition. */
  readonly deliveryIds: readonly string[];
  /** Deliveries whose ids this SELECT returns. */
  readonly sql: null | string;
  /** Deliveries to this endpoint. */
  readonly endpointId: null | string;
  /** Of events whose type one of these patterns matches (order.paid, order.* or *); empty: no condition. */
  readonly eventTypes: readonly string[];
  /** expired, delivered or both; of a backfill none. */
  readonly statuses: readonly string[];
  /** Given up for one of these reasons; empty: no condition. */
  readonly reasons: readonly string[];
  /** The last attempt was answered with this HTTP status. */
  readonly statusCode: null | number;
  /** The event was received then or later. */
  readonly receivedSince: null | EpochMs;
  /** The event was received before. */
  readonly receivedUntil: null | EpochMs;
  /** Given up then or later. */
  readonly deadSince: null | EpochMs;
  /** Given up before. */
  readonly deadUntil: null | EpochMs;
}

/** The event and endpoint up to which a replay has come, in the order in which it goes. */
export interface ReplayPlace {
  /** Owner of the event. */
  readonly tenantId: string;
  /** When the event was received. */
  readonly receivedAt: EpochMs;
  /** The event. */
  readonly eventId: string;
  /** The endpoint. */
  readonly endpointId: string;
}

/** The durable job that selects past deliveries, or events, and sends them again. */
export interface Replay {
  /** rpl_ and 24 characters. */
  readonly id: string;
  /** The one tenant whose deliveries it may select; null: every tenant. */
  readonly tenantId: null | string;
  /** redrive (of past deliveries) or backfill (of an endpoint, from events that it has no delivery of). */
  readonly kind: string;
  /** running, paused, cancelled or done. */
  readonly state: string;
  /** What it waits for, or why it was stopped; empty while it goes on. */
  readonly detail: string;
  /** What it selects. */
  readonly selection: ReplaySelection;
  /** A delivery that reached its status later, or an event that was routed later, is not selected. */
  readonly selectedAt: EpochMs;
  /** In the words of who made it. */
  readonly why: string;
  /** Id of the key that made it. */
  readonly createdBy: string;
  /** The most deliveries that it sends in a second. */
  readonly ratePerSecond: number;
  /** Everything up to here was sent or left out; null at the beginning. */
  readonly place: null | ReplayPlace;
  /** How many it was to look at, as counted when it was made. */
  readonly total: number;
  /** Deliveries that it has sent. */
  readonly sent: number;
  /** How many it has left out, by reason. */
  readonly leftOut: Readonly<Record<string, number>>;
  /** When it was made. */
  readonly createdAt: EpochMs;
  /** When it was done or cancelled. */
  readonly finishedAt: null | EpochMs;
}

/** An event type of the catalogue: what events of this type are, and what their payload looks like. */
export interface EventType {
  /** The type as events carry it, such as order.paid. */
  readonly name: string;
  /** The one tenant whose type it is; null: every tenant's. */
  readonly tenantId: null | string;
  /** For people. */
  readonly description: string;
  /** JSON Schema of the payload, as JSON text; null: nothing is said of it. */
  readonly schema: null | string;
  /** A payload that the schema accepts, as JSON text; null: there is none. */
  readonly example: null | string;
  /** Goes up by one with each change. */
  readonly version: number;
  /** When it was made. */
  readonly createdAt: EpochMs;
  /** When it was changed last. */
  readonly updatedAt: EpochMs;
}

/** Whether a tenant's events are held to the catalogue of event types. */
export interface TypePolicy {
  /** The tenant. */
  readonly tenantId: string;
  /** known (the type must be in the catalogue) or schema (the payload must satisfy the type's schema, too). */
  readonly level: string;
  /** When it was set last. */
  readonly updatedAt: EpochMs;
}

/** What the topic `control` knows under a key. The key's beginning says which field is set: `resume:` and an endpoint's id, `key:` and an API key's id, `replay:` and a replay's id, `type:` and an event type's tenant (empty: every tenant) and name, `type-policy:` and a tenant. */
export interface ControlEntry {
  /** The endpoint's parked deliveries. */
  readonly resume: null | Resume;
  /** The API key. */
  readonly key: null | ApiKey;
  /** The replay. */
  readonly replay: null | Replay;
  /** The event type. */
  readonly eventType: null | EventType;
  /** The policy; a tenant without one publishes what it likes. */
  readonly typePolicy: null | TypePolicy;
}

/** A secret under AES-256-GCM; AAD is tenant, endpoint and secret id. */
export interface SealedSecret {
  /** The secret's id, part of the AAD. */
  readonly id: string;
  /** Which key of the key ring sealed it. */
  readonly kid: string;
  /** Nonce (12 bytes), ciphertext, tag (16 bytes). */
  readonly ciphertext: Uint8Array;
  /** When it was made. */
  readonly createdAt: EpochMs;
  /** When a rotated secret stops signing; null: never. */
  readonly expiresAt: null | EpochMs;
}

/** Where a delivery without a registered endpoint goes. */
export interface InlineDestination {
  /** The URL. */
  readonly url: string;
  /** Each secret makes one signature. */
  readonly secrets: readonly SealedSecret[];
  /** Attempts in all. */
  readonly maxAttempts: number;
  /** Deadline of one attempt. */
  readonly timeoutMs: number;
  /** Its own waits after failed attempts; null: the built-in ones of an inline destination. */
  readonly retryDelaysMs: null | readonly number[];
  /** No attempt of a delivery that is older; null: 72 h, or the schedule with full jitter where that is longer. */
  readonly maxAgeMs: null | number;
  /** Statuses that end the delivery. */
  readonly notRetryableStatuses: readonly number[];
}

/** One event to one endpoint: what deliver, the tiers and a dead letter carry. */
export interface Delivery {
  /** hash(tenant, event id, endpoint id, replay id if any). */
  readonly deliveryId: string;
  /** hash(tenant, event id, endpoint id): the webhook-id header of every attempt and redrive. */
  readonly webhookId: string;
  /** Owner. */
  readonly tenantId: string;
  /** The event. */
  readonly eventId: string;
  /** The event's dotted type. */
  readonly eventType: string;
  /** Registered endpoint, or inline_ and a hash of tenant and origin. */
  readonly endpointId: string;
  /** Version of the endpoint that route saw; 0 for inline. */
  readonly endpointVersion: number;
  /** The attempt to make next, 1-based. */
  readonly attemptNumber: number;
  /** How often the delivery has left deliver so far: retries and deferrals. */
  readonly step: number;
  /** first, retry, redrive, replay or test. */
  readonly trigger: string;
  /** The replay that sent it again. */
  readonly replayId: null | string;
  /** The event's own time. */
  readonly occurredAt: null | EpochMs;
  /** The event record's timestamp, but not before the start of yesterday (UTC) and not in the future. */
  readonly receivedAt: EpochMs;
  /** Media type of the payload. */
  readonly contentType: string;
  /** The body, byte for byte. */
  readonly payload: Uint8Array;
  /** Further request headers from the event. */
  readonly headers: Readonly<Record<string, string>>;
  /** W3C trace context. */
  readonly traceparent: null | string;
  /** What tracing systems added to the trace context; goes with traceparent. */
  readonly tracestate: null | string;
  /** Set where there is no registered endpoint. */
  readonly inline: null | InlineDestination;
  /** No attempt earlier than this. */
  readonly notBefore: null | EpochMs;
  /** No attempt later than this. */
  readonly expiresAt: null | EpochMs;
  /** The end of the whole wait, by the clock of who set it; null: at once. */
  readonly nextAttemptAt: null | EpochMs;
  /** The slot a deferral reserved. */
  readonly slotAt: null | EpochMs;
  /** Why it waits without having spent an attempt. */
  readonly deferralReason: null | string;
  /** Time spent deferred so far; does not count toward the maximum age. */
  readonly deferredMs: number;
  /** When deliver first did not know the endpoint. */
  readonly endpointUnknownSince: null | EpochMs;
  /** What the last attempt showed; null before the first. */
  readonly lastAttempt: null | LastAttempt;
  /** Topic of the event's own record. */
  readonly sourceTopic: string;
  /** Partition of the event's own record. */
  readonly sourcePartition: number;
  /** Offset of the event's own record. */
  readonly sourceOffset: number;
}

/** What was given up, why, and enough to send it again. */
export interface DeadLetter {
  /** One of the closed list of dead-letter reasons. */
  readonly reason: string;
  /** The reason in words; names the field and the rule of bad input. */
  readonly detail: string;
  /** The offending field of bad input. */
  readonly field: null | string;
  /** The rule it broke. */
  readonly rule: null | string;
  /** When it was given up. */
  readonly deadAt: EpochMs;
  /** route, deliver, hold, record or control. */
  readonly stage: string;
  /** Owner, where known. */
  readonly tenantId: null | string;
  /** Endpoint, where known. */
  readonly endpointId: null | string;
  /** Delivery, where known. */
  readonly deliveryId: null | string;
  /** Event, where known. */
  readonly eventId: null | string;
  /** Type, where known. */
  readonly eventType: null | string;
  /** The event record's timestamp, bounded as in a delivery, where known. */
  readonly receivedAt: null | EpochMs;
  /** Attempts made. */
  readonly attempts: number;
  /** The delivery's step. */
  readonly step: number;
  /** Outcome of the last attempt. */
  readonly lastOutcome: null | string;
  /** HTTP status of the last attempt. */
  readonly lastStatusCode: null | number;
  /** Topic of the record that ended here. */
  readonly recordTopic: string;
  /** Partition of the record that ended here. */
  readonly recordPartition: number;
  /** Offset of the record that ended here. */
  readonly recordOffset: number;
  /** The delivery, where there was one. */
  readonly delivery: null | Delivery;
  /** The raw record's key. */
  readonly rawKey: null | Uint8Array;
  /** The raw record's value: sealed if it could not be parsed; cut to 256 KiB if larger. */
  readonly rawValue: null | Uint8Array;
  /** The raw record's headers. */
  readonly rawHeaders: Readonly<Record<string, Uint8Array>>;
  /** The key that sealed rawValue; null where it is plain. */
  readonly rawKid: null | string;
  /** Size of the raw value before it was cut. */
  readonly rawBytes: number;
  /** Topic of the event's own record. */
  readonly sourceTopic: string;
  /** Partition of the event's own record. */
  readonly sourcePartition: number;
  /** Offset of the event's own record. */
  readonly sourceOffset: number;
}

/** A header's value under AES-256-GCM; the AAD binds it to its owner and to the header's name. */
export interface SealedHeader {
  /** Which key of the key ring sealed it. */
  readonly kid: string;
  /** Nonce (12 bytes), ciphertext, tag (16 bytes). */
  readonly ciphertext: Uint8Array;
}

/** How many attempts may start. */
export interface RateLimit {
  /** Attempts a second in the long run; more than 0. */
  readonly perSecond: number;
  /** Attempts that may start at once after a rest; 1 or more. */
  readonly burst: number;
}

/** A URL, its secrets and what it wants. */
export interface Endpoint {
  /** ep_ and 24 characters. */
  readonly id: string;
  /** The tenant's own id. */
  readonly externalId: null | string;
  /** Owner. */
  readonly tenantId: string;
  /** Where deliveries are sent. */
  readonly url: string;
  /** For people. */
  readonly description: string;
  /** order.paid, order.* or *. */
  readonly eventTypes: readonly string[];
  /** A CEL expression over an event and its payload: events for which it is not true are left out; null: none are. */
  readonly filter: null | string;
  /** enabled, paused or disabled. */
  readonly state: string;
  /** Why it is paused or disabled. */
  readonly stateReason: null | string;
  /** Oldest first; the last is the newest. Each unexpired secret makes one signature. */
  readonly secrets: readonly SealedSecret[];
  /** What its requests carry, or are not sent: the signature headers standard, hmac-hex or both, and, with sealedHeaders, sealed-headers. */
  readonly signing: readonly string[];
  /** The HTTP method of its requests: POST, PUT or PATCH. */
  readonly method: string;
  /** Its own request headers as older versions wrote them, with plain values; now empty: they are in sealedHeaders. */
  readonly headers: Readonly<Record<string, string>>;
  /** The endpoint's own request headers, by name. */
  readonly sealedHeaders: Readonly<Record<string, SealedHeader>>;
  /** 1000 to 60000. */
  readonly timeoutMs: number;
  /** Requests at once. */
  readonly maxConcurrency: number;
  /** Null: no limit. */
  readonly rateLimit: null | RateLimit;
  /** Its own retry schedule: the wait after each failed attempt, so attempts are one more than delays; null: the registered schedule. */
  readonly retryDelaysMs: null | readonly number[];
  /** 1 to 100, the first included: cuts the schedule, or goes on with its last wait; null: one more than its waits. */
  readonly maxAttempts: null | number;
  /** No attempt of a delivery that is older; null: 72 h, or the schedule with full jitter where that is longer. */
  readonly maxAgeMs: null | number;
  /** Statuses that end a delivery. */
  readonly notRetryableStatuses: readonly number[];
  /** 1 at creation, raised by 1 with each change. */
  readonly version: number;
  /** When created. */
  readonly createdAt: EpochMs;
  /** When last changed. */
  readonly updatedAt: EpochMs;
}

/** A delivery that was made. */
export interface RoutedDelivery {
  /** The delivery. */
  readonly deliveryId: string;
  /** The delivery's endpoint. */
  readonly endpointId: string;
}

/** A filter that was neither true nor false. */
export interface FailedFilter {
  /** The endpoint, one of filteredEndpointIds. */
  readonly endpointId: string;
  /** Why, for people; no value of the payload. */
  readonly reason: string;
}

/** What came in and what was decided. */
export interface Intake {
  /** Owner; null where unreadable. */
  readonly tenantId: null | string;
  /** The event's id; null where unreadable. */
  readonly eventId: null | string;
  /** The event's type. */
  readonly eventType: null | string;
  /** The publisher's time. */
  readonly occurredAt: null | EpochMs;
  /** The record's timestamp, but not before the start of yesterday (UTC) and not in the future. */
  readonly receivedAt: EpochMs;
  /** When route decided. */
  readonly decidedAt: EpochMs;
  /** routed, no_match, filtered, duplicate, invalid or refused. */
  readonly decision: string;
  /** Why, for people. */
  readonly reason: null | string;
  /** Offending field. */
  readonly field: null | string;
  /** The rule it broke. */
  readonly rule: null | string;
  /** Media type. */
  readonly contentType: string;
  /** Further headers. */
  readonly headers: Readonly<Record<string, string>>;
  /** The payload, in the first part only. */
  readonly payload: Uint8Array;
  /** Size of the payload, also where the payload itself is left out. */
  readonly payloadBytes: number;
  /** At most 500 a part. */
  readonly deliveries: readonly RoutedDelivery[];
  /** Type matched, filter did not: it was false, or it failed. */
  readonly filteredEndpointIds: readonly string[];
  /** Which of filteredEndpointIds were left out because their filter failed. */
  readonly failedFilters: readonly FailedFilter[];
  /** Matched, but disabled. */
  readonly disabledEndpointIds: readonly string[];
  /** Matched and sent; deliver parks them. */
  readonly pausedEndpointIds: readonly string[];
  /** Endpoints of the tenant whose patterns did not match. */
  readonly noMatchCount: number;
  /** 0-based. */
  readonly part: number;
  /** How many parts this intake has. */
  readonly parts: number;
  /** Topic of the event's own record. */
  readonly sourceTopic: string;
  /** Partition of the event's own record. */
  readonly sourcePartition: number;
  /** Offset of the event's own record. */
  readonly sourceOffset: number;
}

/** A change in an endpoint's health, or something else that an operator wants to hear of. */
export interface Signal {
  /** gone, breaker_opened, breaker_closed, failing or recovered, by deliver; disabled, dead_letters_growing or replay_finished, by control. There may be more: pass over what you do not know. */
  readonly kind: string;
  /** The endpoint; empty where the signal is about none. */
  readonly endpointId: string;
  /** Owner; empty where that is nobody, or not known. */
  readonly tenantId: string;
  /** The version it was seen on; 0 without an endpoint. */
  readonly endpointVersion: number;
  /** When the change was seen. */
  readonly at: EpochMs;
  /** For people. */
  readonly detail: string;
  /** The delivery whose attempt showed the change. */
  readonly deliveryId: null | string;
}

/** One URL, for an event that needs no registered endpoint. */
export interface Destination {
  /** https, or http where allowed. */
  readonly url: string;
  /** Plain signing secret, as a publisher wrote it; null once sealed. */
  readonly secret: null | string;
  /** The secret, sealed by the door. */
  readonly sealedSecret: null | SealedSecret;
  /** 1 to 20, the first included: cuts the waits, or goes on with the last one. */
  readonly maxAttempts: number;
  /** 1 to 60: one attempt, from DNS to the last body byte. */
  readonly timeoutSeconds: number;
  /** Its own waits after failed attempts; null: the built-in ones of an inline destination. */
  readonly retryDelaysMs: null | readonly number[];
  /** No attempt of a delivery that is older; null: 72 h, or the schedule with full jitter where that is longer. */
  readonly maxAgeMs: null | number;
  /** Statuses that end the delivery. */
  readonly notRetryableStatuses: readonly number[];
}

/** What happened, as a publisher or the door writes it to the events topic. */
export interface WebhookEvent {
  /** The publisher's id: the idempotency key within the tenant. */
  readonly id: string;
  /** Dotted type, such as order.paid. */
  readonly type: string;
  /** [A-Za-z0-9_-]{1,64}; null only where the configuration binds the topic to a tenant. */
  readonly tenantId: null | string;
  /** When it happened, by the publisher's clock. */
  readonly occurredAt: null | EpochMs;
  /** Media type of the payload. */
  readonly contentType: string;
  /** Forwarded byte for byte. */
  readonly payload: Uint8Array;
  /** Deliver to this URL instead of the tenant's endpoints. */
  readonly destination: null | Destination;
  /** No attempt earlier than this. */
  readonly notBefore: null | EpochMs;
  /** No attempt later than this: a dead letter instead. */
  readonly expiresAt: null | EpochMs;
  /** Further request headers. */
  readonly headers: Readonly<Record<string, string>>;
  /** W3C trace context. */
  readonly traceparent: null | string;
  /** What tracing systems added to the trace context; goes with traceparent. */
  readonly tracestate: null | string;
}
