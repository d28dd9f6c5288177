/** Builds the records that deliver emits for a delivery: attempt, retry, deferral, dead letter. */
import {
  planWait,
  statusAfter,
  statusWaiting,
  type Attempt,
  type DeadLetter,
  type DeadLetterReason,
  type Delivery,
  type Disposition,
  type EpochMs,
  type Outcome,
  type Tier,
} from "@postrider/core";
import type { InRecord, OutRecord } from "@postrider/messaging";
import type { DeferralReason } from "./admit.ts";
import type { AttemptResult } from "../send/attempt-result.ts";
import { tierHeaders } from "./tier-header.ts";

const NO_BYTES = Buffer.alloc(0);
const NO_HEADERS = {};

/** An attempt that was made. */
export interface Made {
  readonly result: AttemptResult;
  readonly startedAt: EpochMs;
  readonly queueMs: number;
  readonly disposition: Disposition;
  readonly worker: string;
}

export function attemptRecord(delivery: Delivery, made: Made): OutRecord {
  const { result, disposition } = made;
  const value: Attempt = {
    ...identity(delivery),
    attemptNumber: delivery.attemptNumber,
    startedAt: made.startedAt,
    queueMs: made.queueMs,
    durationMs: Math.round(result.durationMs),
    dnsMs: Math.round(result.dnsMs),
    connectMs: Math.round(result.connectMs),
    tlsMs: Math.round(result.tlsMs),
    ttfbMs: Math.round(result.ttfbMs),
    isReused: result.isReused,
    remoteAddress: result.remoteAddress,
    outcome: result.outcome,
    statusCode: result.statusCode,
    errorCode: result.errorCode,
    error: result.error,
    status: statusAfter(disposition),
    disposition: disposition.kind,
    nextAttemptAt:
      disposition.kind === "retry" ? disposition.nextAttemptAt : null,
    tier:
      disposition.kind === "retry" ? (disposition.tier?.name ?? null) : null,
    deferralReason: null,
    deadLetterReason:
      disposition.kind === "dead_letter" ? disposition.reason : null,
    lastAttempt: null,
    requestBytes: delivery.payload.byteLength,
    responseBytes: result.responseBytes,
    responseBody: result.responseBody,
    responseHeaders: result.responseHeaders,
    worker: made.worker,
  };
  return { topic: "attempts", key: delivery.endpointId, value };
}

export function retryRecord(
  delivery: Delivery,
  retry: Extract<Disposition, { kind: "retry" }>,
  result: AttemptResult,
): OutRecord {
  const value: Delivery = {
    ...delivery,
    attemptNumber: delivery.attemptNumber + 1,
    step: delivery.step + 1,
    trigger: "retry",
    nextAttemptAt: retry.nextAttemptAt,
    slotAt: null,
    deferralReason: null,
    endpointUnknownSince: null,
    lastAttempt: {
      attemptNumber: delivery.attemptNumber,
      outcome: result.outcome,
      statusCode: result.statusCode,
      errorCode: result.errorCode,
      durationMs: Math.round(result.durationMs),
    },
  };
  return sentTo(retry.tier, value);
}

/** The record of a delivery that goes to its tier, or back to `deliveries` where it has none. */
function sentTo(tier: Tier | null | undefined, value: Delivery): OutRecord {
  const key = value.endpointId;
  return tier == null
    ? { topic: "deliveries", key, value }
    : { topic: tier.topic, key, value, headers: tierHeaders(tier) };
}

/** Why and until when a delivery waits without having spent an attempt. */
export interface Deferral {
  readonly reason: DeferralReason;
  readonly until: EpochMs;
  readonly slotAt: EpochMs | null;
  readonly unknownSince: EpochMs | null;
  readonly now: EpochMs;
  readonly worker: string;
}

/**
 * The records of a deferral: the delivery, sent to its tier, and an attempt with number 0 if the delivery's last deferral
 * had another reason. So a long wait writes one attempt, not one for each deferral. `tiers` are one or more.
 */
export function deferralRecords(
  delivery: Delivery,
  deferral: Deferral,
  tiers: readonly Tier[],
): OutRecord[] {
  const { reason, now } = deferral;
  const planned = planWait(
    tiers,
    Math.max(deferral.until - now, 1),
    (delivery.expiresAt ?? Infinity) - now,
  );
  const tier = planned.tier ?? tiers[0];
  const nextAttemptAt = now + planned.waitMs;
  const value: Delivery = {
    ...delivery,
    step: delivery.step + 1,
    nextAttemptAt,
    slotAt: deferral.slotAt,
    deferralReason: reason,
    deferredMs: delivery.deferredMs + (isAge(reason) ? 0 : planned.waitMs),
    endpointUnknownSince: deferral.unknownSince,
  };
  const departure = sentTo(tier, value);
  if (delivery.deferralReason === reason) return [departure];
  const noted = deferralAttempt(delivery, deferral, {
    nextAttemptAt,
    tier: tier?.name ?? null,
  });
  return [
    { topic: "attempts", key: delivery.endpointId, value: noted },
    departure,
  ];
}

/**
 * Whether the wait counts as age. A wait for `notBefore` is not added to `deferredMs`, because age counts from `notBefore`
 * anyway. The waits for a secret, for an open breaker and for `Retry-After` count, because otherwise they might never end: all
 * deliveries of an endpoint that is dead for good would go through the tiers for ever.
 */
function isAge(reason: DeferralReason): boolean {
  switch (reason) {
    case "not_before":
    case "secret_unavailable":
    case "breaker_open":
    case "retry_after":
      return true;
    case "endpoint_unknown":
    case "endpoint_behind":
    case "lane_slow":
    case "rate_limited":
    case "local_fault":
      return false;
  }
}

function deferralAttempt(
  delivery: Delivery,
  deferral: Deferral,
  wait: { readonly nextAttemptAt: EpochMs; readonly tier: string | null },
): Attempt {
  return {
    ...identity(delivery),
    attemptNumber: 0,
    startedAt: deferral.now,
    queueMs: 0,
    durationMs: 0,
    dnsMs: 0,
    connectMs: 0,
    tlsMs: 0,
    ttfbMs: 0,
    isReused: false,
    remoteAddress: null,
    outcome: null,
    statusCode: null,
    errorCode: null,
    error: null,
    status: statusWaiting(delivery),
    disposition: "defer",
    nextAttemptAt: wait.nextAttemptAt,
    tier: wait.tier,
    deferralReason: deferral.reason,
    deadLetterReason: null,
    lastAttempt: delivery.lastAttempt,
    requestBytes: 0,
    responseBytes: 0,
    responseBody: NO_BYTES,
    responseHeaders: NO_HEADERS,
    worker: deferral.worker,
  };
}

/** Why a delivery is given up, and the outcome of the attempt that caused it, if there was one. */
export interface GivenUp {
  readonly reason: DeadLetterReason;
  readonly detail: string;
  readonly now: EpochMs;
  readonly lastOutcome: Outcome | null;
  readonly lastStatusCode: number | null;
}

/** The dead letter of a delivery. The delivery in it has its step raised by one, so that a redrive of it is not dropped as a repeat. */
export function deadLetterRecord(
  { raw, value: delivery }: InRecord<Delivery>,
  given: GivenUp,
): OutRecord {
  const value: DeadLetter = {
    reason: given.reason,
    detail: given.detail,
    field: null,
    rule: null,
    deadAt: given.now,
    stage: "deliver",
    tenantId: delivery.tenantId,
    endpointId: delivery.endpointId,
    deliveryId: delivery.deliveryId,
    eventId: delivery.eventId,
    eventType: delivery.eventType,
    receivedAt: delivery.receivedAt,
    attempts:
      given.lastOutcome === null
        ? delivery.attemptNumber - 1
        : delivery.attemptNumber,
    step: delivery.step,
    ...lastShown(delivery, given),
    recordTopic: raw.topic,
    recordPartition: raw.partition,
    recordOffset: raw.offset,
    delivery: { ...delivery, step: delivery.step + 1 },
    rawKey: null,
    rawValue: null,
    rawHeaders: {},
    rawKid: null,
    rawBytes: 0,
    sourceTopic: delivery.sourceTopic,
    sourcePartition: delivery.sourcePartition,
    sourceOffset: delivery.sourceOffset,
  };
  return { topic: "dead-letters", key: delivery.endpointId, value };
}

/** What the attempt showed on which it was given up, else what the last one showed. */
function lastShown(
  { lastAttempt }: Delivery,
  { lastOutcome, lastStatusCode }: GivenUp,
): Pick<DeadLetter, "lastOutcome" | "lastStatusCode"> {
  if (lastOutcome !== null || lastAttempt === null)
    return { lastOutcome, lastStatusCode };
  const { outcome, statusCode } = lastAttempt;
  return { lastOutcome: outcome, lastStatusCode: statusCode };
}

function identity(delivery: Delivery) {
  return {
    deliveryId: delivery.deliveryId,
    webhookId: delivery.webhookId,
    tenantId: delivery.tenantId,
    eventId: delivery.eventId,
    eventType: delivery.eventType,
    endpointId: delivery.endpointId,
    step: delivery.step,
    trigger: delivery.trigger,
    replayId: delivery.replayId,
    receivedAt: delivery.receivedAt,
    sourceTopic: delivery.sourceTopic,
    sourcePartition: delivery.sourcePartition,
    sourceOffset: delivery.sourceOffset,
  };
}
