/** Builds complete records, of which a test states only the fields that matter. Ids and times are fixed, so two builds are equal. */
import type {
  ApiKey,
  Attempt,
  AuditEntry,
  DeadLetter,
  Delivery,
  Endpoint,
  InlineDestination,
  Intake,
  SealedSecret,
  Signal,
  WebhookEvent,
} from "@postrider/core";
import { UNTRIED } from "@postrider/core";
import type { RawRecord } from "@postrider/messaging";

/** 2026-01-01T00:00:00Z, the time of every record that is built. */
export const BUILT_AT = Date.UTC(2026, 0, 1);

const PAYLOAD = Buffer.from('{"orderId":"o_1","total":1250}');

export function anEvent(fields: Partial<WebhookEvent> = {}): WebhookEvent {
  return {
    id: "evt_1",
    type: "order.paid",
    tenantId: "acme",
    occurredAt: BUILT_AT,
    contentType: "application/json",
    payload: PAYLOAD,
    destination: null,
    notBefore: null,
    expiresAt: null,
    headers: {},
    traceparent: null,
    tracestate: null,
    ...fields,
  };
}

/** A key that nobody has: its hash is that of no text. */
export function anApiKey(fields: Partial<ApiKey> = {}): ApiKey {
  return {
    id: "0123456789abcdef",
    name: "tests",
    role: "admin",
    tenantId: null,
    hash: Buffer.alloc(32),
    limit: null,
    createdBy: "admin",
    createdAt: BUILT_AT,
    expiresAt: null,
    revokedAt: null,
    ...fields,
  };
}

export function aSealedSecret(
  fields: Partial<SealedSecret> = {},
): SealedSecret {
  return {
    id: "sec_1",
    kid: "k1",
    ciphertext: Buffer.alloc(60, 7),
    createdAt: BUILT_AT,
    expiresAt: null,
    ...fields,
  };
}

export function anEndpoint(fields: Partial<Endpoint> = {}): Endpoint {
  return {
    id: "ep_000000000000000000000001",
    externalId: null,
    tenantId: "acme",
    url: "https://receiver.example/hook",
    description: "",
    eventTypes: ["*"],
    filter: null,
    state: "enabled",
    stateReason: null,
    secrets: [aSealedSecret()],
    signing: ["standard"],
    method: "POST",
    headers: {},
    sealedHeaders: {},
    timeoutMs: 15_000,
    maxConcurrency: 16,
    rateLimit: null,
    retryDelaysMs: null,
    maxAttempts: null,
    maxAgeMs: null,
    notRetryableStatuses: [],
    version: 1,
    createdAt: BUILT_AT,
    updatedAt: BUILT_AT,
    ...fields,
  };
}

export function anInlineDestination(
  fields: Partial<InlineDestination> = {},
): InlineDestination {
  return {
    url: "https://callback.example/hook",
    secrets: [aSealedSecret()],
    maxAttempts: 5,
    timeoutMs: 30_000,
    retryDelaysMs: null,
    maxAgeMs: null,
    notRetryableStatuses: [],
    ...fields,
  };
}

export function aDelivery(fields: Partial<Delivery> = {}): Delivery {
  return {
    ...UNTRIED,
    deliveryId: "dlv_000000000000000000000001",
    webhookId: "msg_000000000000000000000001",
    tenantId: "acme",
    eventId: "evt_1",
    eventType: "order.paid",
    endpointId: "ep_000000000000000000000001",
    endpointVersion: 1,
    trigger: "first",
    replayId: null,
    occurredAt: BUILT_AT,
    receivedAt: BUILT_AT,
    contentType: "application/json",
    payload: PAYLOAD,
    headers: {},
    traceparent: null,
    tracestate: null,
    inline: null,
    notBefore: null,
    expiresAt: null,
    sourceTopic: "postrider.events",
    sourcePartition: 0,
    sourceOffset: 0,
    ...fields,
  };
}

export function anAttempt(fields: Partial<Attempt> = {}): Attempt {
  return {
    deliveryId: "dlv_000000000000000000000001",
    webhookId: "msg_000000000000000000000001",
    tenantId: "acme",
    eventId: "evt_1",
    eventType: "order.paid",
    endpointId: "ep_000000000000000000000001",
    attemptNumber: 1,
    step: 0,
    trigger: "first",
    replayId: null,
    receivedAt: BUILT_AT,
    startedAt: BUILT_AT + 10,
    queueMs: 10,
    durationMs: 25,
    dnsMs: 0,
    connectMs: 1,
    tlsMs: 0,
    ttfbMs: 20,
    isReused: false,
    remoteAddress: "192.0.2.10",
    outcome: "delivered",
    statusCode: 200,
    errorCode: null,
    error: null,
    status: "delivered",
    disposition: "done",
    nextAttemptAt: null,
    tier: null,
    deferralReason: null,
    deadLetterReason: null,
    lastAttempt: null,
    requestBytes: PAYLOAD.length,
    responseBytes: 2,
    responseBody: Buffer.from("ok"),
    responseHeaders: {},
    worker: "test",
    sourceTopic: "postrider.events",
    sourcePartition: 0,
    sourceOffset: 0,
    ...fields,
  };
}

export function aDeadLetter(fields: Partial<DeadLetter> = {}): DeadLetter {
  return {
    reason: "exhausted",
    detail: "5 of 5 attempts failed",
    field: null,
    rule: null,
    deadAt: BUILT_AT + 60_000,
    stage: "deliver",
    tenantId: "acme",
    endpointId: "ep_000000000000000000000001",
    deliveryId: "dlv_000000000000000000000001",
    eventId: "evt_1",
    eventType: "order.paid",
    receivedAt: BUILT_AT,
    attempts: 5,
    step: 4,
    lastOutcome: "http_error",
    lastStatusCode: 500,
    recordTopic: "postrider.deliveries",
    recordPartition: 0,
    recordOffset: 0,
    delivery: aDelivery({ attemptNumber: 5, step: 4 }),
    rawKey: null,
    rawValue: null,
    rawHeaders: {},
    rawKid: null,
    rawBytes: 0,
    sourceTopic: "postrider.events",
    sourcePartition: 0,
    sourceOffset: 0,
    ...fields,
  };
}

export function anIntake(fields: Partial<Intake> = {}): Intake {
  return {
    tenantId: "acme",
    eventId: "evt_1",
    eventType: "order.paid",
    occurredAt: BUILT_AT,
    receivedAt: BUILT_AT,
    decidedAt: BUILT_AT + 5,
    decision: "routed",
    reason: null,
    field: null,
    rule: null,
    contentType: "application/json",
    headers: {},
    payload: PAYLOAD,
    payloadBytes: PAYLOAD.length,
    deliveries: [
      {
        deliveryId: "dlv_000000000000000000000001",
        endpointId: "ep_000000000000000000000001",
      },
    ],
    filteredEndpointIds: [],
    failedFilters: [],
    disabledEndpointIds: [],
    pausedEndpointIds: [],
    noMatchCount: 0,
    part: 0,
    parts: 1,
    sourceTopic: "postrider.events",
    sourcePartition: 0,
    sourceOffset: 0,
    ...fields,
  };
}

export function anAuditEntry(fields: Partial<AuditEntry> = {}): AuditEntry {
  return {
    at: BUILT_AT,
    actor: "admin",
    tenantId: "acme",
    subject: "endpoint",
    subjectId: "ep_000000000000000000000001",
    action: "paused",
    why: "their receiver is down",
    detail: '{"state":{"from":"enabled","to":"paused"}}',
    requestId: "req-1",
    ...fields,
  };
}

export function aSignal(fields: Partial<Signal> = {}): Signal {
  return {
    kind: "gone",
    endpointId: "ep_000000000000000000000001",
    tenantId: "acme",
    endpointVersion: 1,
    at: BUILT_AT,
    detail: "the endpoint answered 410",
    deliveryId: "dlv_000000000000000000000001",
    ...fields,
  };
}

/** A record without key, value and headers, at the beginning of its log: what was decoded from it is given beside it. */
export function aRawRecord(fields: Partial<RawRecord> = {}): RawRecord {
  return {
    topic: "t",
    partition: 0,
    offset: 0,
    timestamp: 0,
    key: null,
    value: null,
    headers: {},
    ...fields,
  };
}
