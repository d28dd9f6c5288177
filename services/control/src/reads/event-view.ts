import { DECISIONS, STATUSES, type EpochMs } from "@postrider/core";
import { z } from "zod";
import { rfc3339 } from "../http/rfc3339.ts";
import { listOf, oneOf, shownTime } from "../http/shown.ts";

/** A row of `events`: one part of the decision about one record. Empty texts stand for null, as in the table. */
export interface EventRow {
  readonly tenant_id: string;
  readonly event_id: string;
  readonly event_type: string;
  readonly occurred_at: EpochMs | null;
  readonly received_at: EpochMs;
  readonly decision: string;
  readonly reason: string;
}

/** The newest version of a row of `deliveries`. */
export interface DeliveryRow {
  readonly delivery_id: string;
  readonly endpoint_id: string;
  readonly status: string;
  readonly next_attempt_at: EpochMs | null;
  readonly dead_letter_reason: string;
  readonly version: number;
}

export interface CountedDeliveryRow extends DeliveryRow {
  /** How many were made. */
  readonly attempts: number;
}

/** A row of `attempts`; `attempt_number` 0 is a deferral. */
export interface AttemptRow {
  readonly delivery_id: string;
  readonly attempt_number: number;
  readonly step: number;
  readonly started_at: EpochMs;
  readonly outcome: string;
  readonly status_code: number | null;
  readonly duration_ms: number;
  readonly trigger: string;
  readonly error: string;
  readonly next_attempt_at: EpochMs | null;
  readonly deferral_reason: string;
  /** The delivery's status after this attempt. */
  readonly status: string;
  readonly dead_letter_reason: string;
}

export interface EventRows {
  /** At least one row, all of one tenant. */
  readonly events: readonly [EventRow, ...EventRow[]];
  readonly deliveries: readonly CountedDeliveryRow[];
  readonly attempts: readonly AttemptRow[];
  /** There were more deliveries or attempts than the limit on what is read. */
  readonly truncated: boolean;
}

/** An attempt, as answers about events show it. */
export const attemptView = z.strictObject({
  attemptNumber: z.int(),
  startedAt: shownTime,
  outcome: z.string(),
  statusCode: z.int().nullable(),
  durationMs: z.int(),
  trigger: z.string(),
  error: z.string().nullable(),
});
type AttemptView = z.infer<typeof attemptView>;

const deliveryView = z.strictObject({
  id: z.string(),
  endpointId: z.string(),
  status: oneOf(STATUSES),
  attempts: listOf(attemptView),
  attemptCount: z.int().meta({
    description:
      "How many attempts were made. The last ones may still be missing in `attempts`: a dead letter can be recorded before them",
  }),
  nextAttemptAt: shownTime.nullable(),
  deferralReason: z.string().nullable().meta({
    description:
      "Why it waits without spending an attempt, such as `breaker_open`; null where it does not",
  }),
  deadLetterReason: z.string().nullable().meta({
    description: "Why it was given up or, with `paused`, parked",
  }),
});
type DeliveryView = z.infer<typeof deliveryView>;

/** `GET /v1/events/{id}`. */
export const eventView = z
  .strictObject({
    id: z.string(),
    type: z.string(),
    tenantId: z.string().nullable(),
    occurredAt: shownTime.nullable(),
    receivedAt: shownTime,
    decision: oneOf(DECISIONS),
    reason: z.string().nullable(),
    deliveries: listOf(deliveryView),
    truncated: z
      .boolean()
      .meta({ description: "There are more deliveries or attempts" }),
  })
  .meta({ id: "Event" });
export type EventView = z.infer<typeof eventView>;

/** One event as a user sees it. Where a duplicate has the same id, the original is shown. */
export function eventViewOf(rows: EventRows): EventView {
  const event = rows.events.reduce(moreTelling);
  const attempts = Map.groupBy(rows.attempts, (row) => row.delivery_id);
  return {
    id: event.event_id,
    type: event.event_type,
    tenantId: textOrNull(event.tenant_id),
    occurredAt: timeOrNull(event.occurred_at),
    receivedAt: rfc3339(event.received_at),
    decision: event.decision,
    reason: textOrNull(event.reason),
    deliveries: newestVersions(rows.deliveries).map((delivery) =>
      deliveryViewOf(delivery, attempts.get(delivery.delivery_id) ?? []),
    ),
    truncated: rows.truncated,
  };
}

function moreTelling(one: EventRow, other: EventRow): EventRow {
  const isOneDuplicate = one.decision === "duplicate";
  if (isOneDuplicate !== (other.decision === "duplicate"))
    return isOneDuplicate ? other : one;
  return one.received_at <= other.received_at ? one : other;
}

/** An event that was routed twice, because its repeat came after the duplicate window, has a row per arrival and delivery. */
function newestVersions(
  rows: readonly CountedDeliveryRow[],
): CountedDeliveryRow[] {
  const newest = new Map<string, CountedDeliveryRow>();
  for (const row of rows) {
    const known = newest.get(row.delivery_id);
    if (known === undefined || row.version > known.version)
      newest.set(row.delivery_id, row);
  }
  return [...newest.values()];
}

function deliveryViewOf(
  row: CountedDeliveryRow,
  rows: readonly AttemptRow[],
): DeliveryView {
  const delivery = rows.reduce<CountedDeliveryRow>(asDecidedBy, row);
  const isWaiting = waits(delivery);
  const inOrder = rows.toSorted(
    (a, b) => a.step - b.step || a.started_at - b.started_at,
  );
  const newest = inOrder.at(-1);
  const nextAttemptAt = newest?.next_attempt_at ?? delivery.next_attempt_at; // a deferral may be in `attempts` only: see asDecidedBy
  return {
    id: delivery.delivery_id,
    endpointId: delivery.endpoint_id,
    status: delivery.status,
    attempts: inOrder
      .filter((row) => row.attempt_number > 0)
      .map(attemptViewOf),
    attemptCount: Math.max(
      row.attempts,
      ...rows.map(({ attempt_number }) => attempt_number),
    ),
    nextAttemptAt: isWaiting ? timeOrNull(nextAttemptAt) : null,
    deferralReason: isWaiting
      ? textOrNull(newest?.deferral_reason ?? "")
      : null,
    deadLetterReason: textOrNull(delivery.dead_letter_reason),
  };
}

const RANKS = ["pending", "failed", "expired", "delivered"];

/**
 * Applies an attempt to its delivery. An insert into `attempts` becomes visible a moment before its view has updated
 * `deliveries`; without this, a delivery could show as pending beside the attempt that decided it. The version is computed
 * as in migration 0006, so the result is what the view will write. It never writes a deferral after a failed attempt whose record
 * lacks that attempt (ADR 27, "Limits"); here such a deferral counts like the others.
 */
export function asDecidedBy<Row extends DeliveryRow>(
  delivery: Row,
  attempt: AttemptRow,
): Row {
  const { status, step, next_attempt_at, dead_letter_reason } = attempt;
  const rank = RANKS.indexOf(status);
  const isLaterDeferral = attempt.attempt_number === 0 && status !== "pending";
  const version =
    rank * 65_536 + Math.min(step, 32_767) * 2 + (isLaterDeferral ? 0 : 1);
  return version > delivery.version
    ? { ...delivery, status, next_attempt_at, dead_letter_reason, version }
    : delivery;
}

/** Whether the delivery has a next attempt: it is unfinished, and not parked. */
export function waits({
  status,
  dead_letter_reason,
}: Pick<DeliveryRow, "status" | "dead_letter_reason">): boolean {
  const isUnfinished = status === "pending" || status === "failed";
  return isUnfinished && dead_letter_reason === "";
}

export function attemptViewOf(row: AttemptRow): AttemptView {
  return {
    attemptNumber: row.attempt_number,
    startedAt: rfc3339(row.started_at),
    outcome: row.outcome,
    statusCode: row.status_code,
    durationMs: row.duration_ms,
    trigger: row.trigger,
    error: textOrNull(row.error),
  };
}

export function textOrNull(text: string): string | null {
  return text === "" ? null : text;
}

export function timeOrNull(at: EpochMs | null): string | null {
  return at === null ? null : rfc3339(at);
}
