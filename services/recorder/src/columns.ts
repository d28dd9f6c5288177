/** The only place where Avro's names become SQL's: the columns of each table, and how a record fills them. */
import { notAfter, receivedAtOf, redactedHeaders } from "@postrider/core";
import type {
  Attempt,
  AuditEntry,
  DeadLetter,
  EpochMs,
  Intake,
  Signal,
} from "@postrider/core";
import type { InRecord } from "@postrider/messaging";
import { column } from "./native/block.ts";
import type { Column } from "./native/block.ts";
import {
  arrayOf,
  BOOL,
  BYTES,
  INT32,
  INT64,
  nullable,
  TEXT,
  TEXT_MAP,
  TIME,
} from "./native/column-types.ts";

/** A row is the record that it is made of. Its values are written at the insert, column by column. */
export type Row<T> = InRecord<T>;

/** A table that a topic feeds. */
export interface Table<T> {
  readonly name: string;
  readonly columns: readonly Column<T>[];
  /** The table is partitioned by the day of this column; it is never null. */
  readonly timeColumn: string;
  /** What a row has in that column, epoch ms. */
  readonly timeOf: (value: T) => EpochMs;
  /** The view that fills `deliveries` from this table; null where there is none. */
  readonly deliveriesView: string | null;
}

const EVENT_COLUMNS: readonly Column<Intake>[] = [
  column("tenant_id", TEXT, (intake) => intake.tenantId ?? ""),
  column("event_id", TEXT, (intake) => intake.eventId ?? ""),
  column("event_type", TEXT, (intake) => intake.eventType ?? ""),
  column("occurred_at", nullable(TIME), (intake) =>
    timeOrNull(intake.occurredAt),
  ),
  column("received_at", TIME, eventTime),
  column("decided_at", TIME, (intake) => timeOf(intake.decidedAt)),
  column("decision", TEXT, (intake) => intake.decision),
  column("reason", TEXT, (intake) => intake.reason ?? ""),
  column("field", TEXT, (intake) => intake.field ?? ""),
  column("rule", TEXT, (intake) => intake.rule ?? ""),
  column("content_type", TEXT, (intake) => intake.contentType),
  // Route redacts the headers; earlier versions of route did not.
  column("headers", TEXT_MAP, (intake) => redactedHeaders(intake.headers)),
  column("payload", BYTES, (intake) => intake.payload),
  column("payload_bytes", INT32, (intake) => intake.payloadBytes),
  column("delivery_ids", arrayOf(TEXT), (intake) =>
    intake.deliveries.map((d) => d.deliveryId),
  ),
  column("endpoint_ids", arrayOf(TEXT), (intake) =>
    intake.deliveries.map((d) => d.endpointId),
  ),
  column(
    "filtered_endpoint_ids",
    arrayOf(TEXT),
    (intake) => intake.filteredEndpointIds,
  ),
  column(
    "disabled_endpoint_ids",
    arrayOf(TEXT),
    (intake) => intake.disabledEndpointIds,
  ),
  column(
    "paused_endpoint_ids",
    arrayOf(TEXT),
    (intake) => intake.pausedEndpointIds,
  ),
  column("no_match_count", INT32, (intake) => intake.noMatchCount),
  column("part", INT32, (intake) => intake.part),
  column("parts", INT32, (intake) => intake.parts),
  column("source_topic", TEXT, (intake) => intake.sourceTopic),
  column("source_partition", INT32, (intake) => intake.sourcePartition),
  column("source_offset", INT64, (intake) => intake.sourceOffset),
  column("log_partition", INT32, (_, raw) => raw.partition),
  column("log_offset", INT64, (_, raw) => raw.offset),
];

const ATTEMPT_COLUMNS: readonly Column<Attempt>[] = [
  column("tenant_id", TEXT, (attempt) => attempt.tenantId),
  column("endpoint_id", TEXT, (attempt) => attempt.endpointId),
  column("delivery_id", TEXT, (attempt) => attempt.deliveryId),
  column("webhook_id", TEXT, (attempt) => attempt.webhookId),
  column("event_id", TEXT, (attempt) => attempt.eventId),
  column("event_type", TEXT, (attempt) => attempt.eventType),
  column("attempt_number", INT32, (attempt) => attempt.attemptNumber),
  column("step", INT32, (attempt) => attempt.step),
  column("trigger", TEXT, (attempt) => attempt.trigger),
  column("replay_id", TEXT, (attempt) => attempt.replayId ?? ""),
  // An attempt that an earlier version or somebody else wrote must not make a partition of `deliveries` in the future. An old
  // time is right: retries go on for days.
  column("received_at", TIME, (attempt) =>
    timeOf(notAfter(attempt.receivedAt, attempt.startedAt)),
  ),
  column("started_at", TIME, attemptTime),
  column("queue_ms", INT32, (attempt) => attempt.queueMs),
  column("duration_ms", INT32, (attempt) => attempt.durationMs),
  column("dns_ms", INT32, (attempt) => attempt.dnsMs),
  column("connect_ms", INT32, (attempt) => attempt.connectMs),
  column("tls_ms", INT32, (attempt) => attempt.tlsMs),
  column("ttfb_ms", INT32, (attempt) => attempt.ttfbMs),
  column("is_reused", BOOL, (attempt) => attempt.isReused),
  column("remote_address", TEXT, (attempt) => attempt.remoteAddress ?? ""),
  column("outcome", TEXT, (attempt) => attempt.outcome ?? ""),
  column("status_code", nullable(INT32), (attempt) => attempt.statusCode),
  column("error_code", TEXT, (attempt) => attempt.errorCode ?? ""),
  column("error", TEXT, (attempt) => attempt.error ?? ""),
  column("status", TEXT, (attempt) => attempt.status),
  column("disposition", TEXT, (attempt) => attempt.disposition),
  column("next_attempt_at", nullable(TIME), (attempt) =>
    timeOrNull(attempt.nextAttemptAt),
  ),
  column("tier", TEXT, (attempt) => attempt.tier ?? ""),
  column("deferral_reason", TEXT, (attempt) => attempt.deferralReason ?? ""),
  column(
    "dead_letter_reason",
    TEXT,
    (attempt) => attempt.deadLetterReason ?? "",
  ),
  column(
    "last_attempt_number",
    INT32,
    (attempt) => attempt.lastAttempt?.attemptNumber ?? 0,
  ),
  column("last_outcome", TEXT, (attempt) => attempt.lastAttempt?.outcome ?? ""),
  column(
    "last_status_code",
    nullable(INT32),
    (attempt) => attempt.lastAttempt?.statusCode ?? null,
  ),
  column(
    "last_error_code",
    TEXT,
    (attempt) => attempt.lastAttempt?.errorCode ?? "",
  ),
  column(
    "last_duration_ms",
    INT32,
    (attempt) => attempt.lastAttempt?.durationMs ?? 0,
  ),
  column("request_bytes", INT32, (attempt) => attempt.requestBytes),
  column("response_bytes", INT32, (attempt) => attempt.responseBytes),
  column("response_body", BYTES, (attempt) => attempt.responseBody),
  column("response_headers", TEXT_MAP, (attempt) => attempt.responseHeaders),
  column("worker", TEXT, (attempt) => attempt.worker),
  column("source_topic", TEXT, (attempt) => attempt.sourceTopic),
  column("source_partition", INT32, (attempt) => attempt.sourcePartition),
  column("source_offset", INT64, (attempt) => attempt.sourceOffset),
  column("log_partition", INT32, (_, raw) => raw.partition),
  column("log_offset", INT64, (_, raw) => raw.offset),
];

const DEAD_LETTER_COLUMNS: readonly Column<DeadLetter>[] = [
  column("tenant_id", TEXT, (letter) => letter.tenantId ?? ""),
  column("endpoint_id", TEXT, (letter) => letter.endpointId ?? ""),
  column("dead_at", TIME, deadLetterTime),
  column("delivery_id", TEXT, (letter) => letter.deliveryId ?? ""),
  column("event_id", TEXT, (letter) => letter.eventId ?? ""),
  column("event_type", TEXT, (letter) => letter.eventType ?? ""),
  column("replay_id", TEXT, (letter) => letter.delivery?.replayId ?? ""),
  column("received_at", nullable(TIME), ({ receivedAt, deadAt }) =>
    timeOrNull(receivedAt === null ? null : notAfter(receivedAt, deadAt)),
  ),
  column("reason", TEXT, (letter) => letter.reason),
  column("detail", TEXT, (letter) => letter.detail),
  column("field", TEXT, (letter) => letter.field ?? ""),
  column("rule", TEXT, (letter) => letter.rule ?? ""),
  column("stage", TEXT, (letter) => letter.stage),
  column("attempts", INT32, (letter) => letter.attempts),
  column("step", INT32, (letter) => letter.step),
  column("last_outcome", TEXT, (letter) => letter.lastOutcome ?? ""),
  column(
    "last_status_code",
    nullable(INT32),
    (letter) => letter.lastStatusCode,
  ),
  column("record_topic", TEXT, (letter) => letter.recordTopic),
  column("record_partition", INT32, (letter) => letter.recordPartition),
  column("record_offset", INT64, (letter) => letter.recordOffset),
  column("raw_bytes", INT32, (letter) => letter.rawBytes),
  column("source_topic", TEXT, (letter) => letter.sourceTopic),
  column("source_partition", INT32, (letter) => letter.sourcePartition),
  column("source_offset", INT64, (letter) => letter.sourceOffset),
  column("log_topic", TEXT, (_, raw) => raw.topic),
  column("log_partition", INT32, (_, raw) => raw.partition),
  column("log_offset", INT64, (_, raw) => raw.offset),
];

const SIGNAL_COLUMNS: readonly Column<Signal>[] = [
  column("tenant_id", TEXT, (signal) => signal.tenantId),
  column("endpoint_id", TEXT, (signal) => signal.endpointId),
  column("at", TIME, signalTime),
  column("kind", TEXT, (signal) => signal.kind),
  column("endpoint_version", INT64, (signal) => signal.endpointVersion),
  column("delivery_id", TEXT, (signal) => signal.deliveryId ?? ""),
  column("detail", TEXT, (signal) => signal.detail),
  column("log_partition", INT32, (_, raw) => raw.partition),
  column("log_offset", INT64, (_, raw) => raw.offset),
];

const AUDIT_COLUMNS: readonly Column<AuditEntry>[] = [
  column("tenant_id", TEXT, (entry) => entry.tenantId ?? ""),
  column("at", TIME, auditTime),
  column("actor", TEXT, (entry) => entry.actor),
  column("subject", TEXT, (entry) => entry.subject),
  column("subject_id", TEXT, (entry) => entry.subjectId),
  column("action", TEXT, (entry) => entry.action),
  column("why", TEXT, (entry) => entry.why),
  column("detail", TEXT, (entry) => entry.detail),
  column("request_id", TEXT, (entry) => entry.requestId),
  column("log_partition", INT32, (_, raw) => raw.partition),
  column("log_offset", INT64, (_, raw) => raw.offset),
];

export const EVENTS: Table<Intake> = {
  name: "events",
  columns: EVENT_COLUMNS,
  timeColumn: "received_at",
  timeOf: eventTime,
  deliveriesView: "deliveries_from_events",
};

export const ATTEMPTS: Table<Attempt> = {
  name: "attempts",
  columns: ATTEMPT_COLUMNS,
  timeColumn: "started_at",
  timeOf: attemptTime,
  deliveriesView: "deliveries_from_attempts",
};

export const DEAD_LETTERS: Table<DeadLetter> = {
  name: "dead_letters",
  columns: DEAD_LETTER_COLUMNS,
  timeColumn: "dead_at",
  timeOf: deadLetterTime,
  deliveriesView: "deliveries_from_dead_letters",
};

export const SIGNALS: Table<Signal> = {
  name: "signals",
  columns: SIGNAL_COLUMNS,
  timeColumn: "at",
  timeOf: signalTime,
  deliveriesView: null,
};

export const AUDIT: Table<AuditEntry> = {
  name: "audit",
  columns: AUDIT_COLUMNS,
  timeColumn: "at",
  timeOf: auditTime,
  deliveriesView: null,
};

const NO_BYTES = Buffer.alloc(0);

/** The table `events`, with the payloads or without. Where they are not recorded, route leaves them out already, but an older route did not, nor does one that is set otherwise. */
export function eventsTable(payloads: "all" | "none"): Table<Intake> {
  if (payloads === "all") return EVENTS;
  const columns = EVENT_COLUMNS.map((each) =>
    each.name === "payload" ? column(each.name, BYTES, () => NO_BYTES) : each,
  );
  return { ...EVENTS, columns };
}

/**
 * A table has a partition for each day, so a wrong time would make a partition of its own. Route has raised this time already, but
 * somebody else may have written the intake. The bound is decidedAt, not our clock, because an insert that is repeated must have the
 * same rows.
 */
function eventTime({ receivedAt, decidedAt }: Intake): EpochMs {
  return timeOf(receivedAtOf(receivedAt, decidedAt));
}

function attemptTime({ startedAt }: Attempt): EpochMs {
  return timeOf(startedAt);
}

function deadLetterTime({ deadAt }: DeadLetter): EpochMs {
  return timeOf(deadAt);
}

function signalTime({ at }: Signal): EpochMs {
  return timeOf(at);
}

function auditTime({ at }: AuditEntry): EpochMs {
  return timeOf(at);
}

/** Partitions are days of ClickHouse's Date, which ends in 2149; a time after that would wrap around into another day. */
const LATEST = Date.UTC(2100, 0, 1);

/** A time outside 1970–2100 can only be garbage and becomes the nearer end. */
function timeOf(at: EpochMs): EpochMs {
  return Math.min(Math.max(at, 0), LATEST);
}

function timeOrNull(at: EpochMs | null): EpochMs | null {
  return at === null ? null : timeOf(at);
}
