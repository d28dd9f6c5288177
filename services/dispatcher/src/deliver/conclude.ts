/** What follows from an attempt: the disposition, decided by core's `dispose`, and the records to emit. Pure. */
import {
  dispose,
  isGone,
  jitterOf,
  lastStartAt,
  parseRetryAfter,
  type DeadLetterReason,
  type Delivery,
  type Disposition,
  type EpochMs,
  type Tier,
} from "@postrider/core";
import type { InRecord, OutRecord } from "@postrider/messaging";
import { sha256 } from "@postrider/runtime";
import type { Target } from "./admit.ts";
import type { BreakerChange } from "../breaker/breaker.ts";
import {
  attemptRecord,
  deadLetterRecord,
  retryRecord,
} from "./outgoing-records.ts";
import { breakerSignals, goneSignal } from "./signal-records.ts";
import type { AttemptResult } from "../send/attempt-result.ts";
import { tierOf } from "./tier-header.ts";

export interface Concluding {
  readonly target: Target;
  readonly result: AttemptResult;
  /** How the endpoint's breaker changed by this attempt. */
  readonly change: BreakerChange | null;
  readonly startedAt: EpochMs;
  readonly now: EpochMs;
  readonly tiers: readonly Tier[];
  readonly worker: string;
}

export interface Conclusion {
  readonly disposition: Disposition;
  readonly queueMs: number;
  /** The tier in which the delivery waited before; `none` or `other`. */
  readonly cameFrom: string;
  /** From the event's acceptance, by the publisher's or the door's clock, until now; never below 0. */
  readonly sinceReceivedMs: number;
  /** A registered endpoint answered 410: treat this version as disabled at once. */
  readonly isGone: boolean;
  readonly records: readonly OutRecord[];
}

export function conclude(
  record: InRecord<Delivery>,
  concluding: Concluding,
): Conclusion {
  const { value: delivery, raw } = record;
  const { target, result, change, startedAt, now, worker } = concluding;
  const disposition = dispositionOf(delivery, concluding);
  const dueAt = delivery.nextAttemptAt ?? raw.timestamp;
  const queueMs = Math.max(0, startedAt - dueAt);
  const records = [
    attemptRecord(delivery, {
      result,
      startedAt,
      queueMs,
      disposition,
      worker,
    }),
  ];
  if (disposition.kind === "retry")
    records.push(retryRecord(delivery, disposition, result));
  if (disposition.kind === "dead_letter")
    records.push(deadLetterOf(record, disposition.reason, concluding));
  const isEndpointGone = isGone(result.statusCode) && !target.isInline;
  const seenOn = { delivery, endpointVersion: target.endpointVersion, at: now };
  if (isEndpointGone) records.push(goneSignal(seenOn));
  if (change !== null) records.push(...breakerSignals(change, result, seenOn));
  const sinceReceivedMs = Math.max(0, now - delivery.receivedAt);
  return {
    disposition,
    queueMs,
    cameFrom: tierOf(raw.headers, concluding.tiers),
    sinceReceivedMs,
    isGone: isEndpointGone,
    records,
  };
}

function dispositionOf(
  delivery: Delivery,
  { target, result, now, tiers }: Concluding,
): Disposition {
  const { outcome, statusCode } = result;
  if (outcome === "delivered") return { kind: "done" };
  return dispose({
    delivery,
    outcome,
    statusCode,
    retryAfterMs: parseRetryAfter(result.retryAfter ?? undefined, now),
    // Who sends a test waits for what it shows, and sends another one.
    policy: isTest(delivery)
      ? { ...target.policy, schedule: [] }
      : target.policy,
    tiers,
    now,
    random01: jitterOf(sha256, delivery.deliveryId, delivery.step),
  });
}

function isTest({ trigger }: Pick<Delivery, "trigger">): boolean {
  return trigger === "test";
}

function deadLetterOf(
  record: InRecord<Delivery>,
  reason: DeadLetterReason,
  { target, result, now }: Concluding,
): OutRecord {
  const { error, statusCode } = result;
  const shown = error ?? `the endpoint answered ${statusCode}`;
  const why = whyNoRetry(record.value, { reason, statusCode, target });
  return deadLetterRecord(record, {
    reason,
    detail: why === null ? shown : `${shown}; ${why}`,
    now,
    lastOutcome: result.outcome,
    lastStatusCode: result.statusCode,
  });
}

/** What in the policy ended the delivery, for people; `null` where the answer alone did. */
function whyNoRetry(
  delivery: Delivery,
  ended: {
    readonly reason: DeadLetterReason;
    readonly statusCode: number | null;
    readonly target: Target;
  },
): string | null {
  const { policy } = ended.target;
  if (ended.reason === "exhausted") {
    if (isTest(delivery)) return "a test is attempted once";
    const isListed = policy.notRetryableStatuses.some(
      (status) => status === ended.statusCode,
    );
    return isListed
      ? "this status is not retried"
      : `attempt ${delivery.attemptNumber} was the last`;
  }
  if (ended.reason !== "expired") return null;
  const isByExpiry =
    lastStartAt(delivery, policy.maxAgeMs) === delivery.expiresAt;
  return `the next attempt would be after its ${isByExpiry ? "expiresAt" : "maximum age"}`;
}
