/** The only place where Avro's names become SQL's. A table's insert names these columns in this order; a row holds their values. */
import { notAfter, receivedAtOf, redactedHeaders } from "@postrider/core";
import type { Attempt, DeadLetter, EpochMs, Intake } from "@postrider/core";
import type { RawRecord } from "@postrider/messaging";

/** A value that JSON can carry. Bytes are base64, in a column whose name ends in `_base64`. */
export type Cell =
  | string
  | number
  | boolean
  | null
  | readonly string[]
  | Readonly<Record<string, string>>;

/** The values of one row, in the order of its table's columns. */
export type Row = readonly Cell[];

/** One column of a table and how a record fills it. */
export type Column<T> = readonly [
  name: string,
  cellOf: (value: T, raw: RawRecord) => Cell,
];

/** A table that a topic feeds. */
export interface Table<T> {
  readonly name: string;
  readonly columns: readonly Column<T>[];
  /** The table is partitioned by the day of this column; it is never null. */
  readonly timeColumn: string;
  /** The view that fills `deliveries` from this table. */
  readonly deliveriesView: string;
}

export const EVENT_COLUMNS: readonly Column<Intake>[] = [
  ["tenant_id", (intake) => intake.tenantId ?? ""],
  ["event_id", (intake) => intake.eventId ?? ""],
  ["event_type", (intake) => intake.eventType ?? ""],
  ["occurred_at", (intake) => timeOrNull(intake.occurredAt)],
  // A table has a partition for each day, so a wrong time would make a partition of its own. Route has raised this time already,
  // but somebody else may have written the intake. The bound is decidedAt, not our clock, because an insert that is repeated must
  // have the same rows.
  [
    "received_at",
    (intake) => timeOf(receivedAtOf(intake.receivedAt, intake.decidedAt)),
  ],
  ["decided_at", (intake) => timeOf(intake.decidedAt)],
  ["decision", (intake) => intake.decision],
  ["reason", (intake) => intake.reason ?? ""],
  ["field", (intake) => intake.field ?? ""],
  ["rule", (intake) => intake.rule ?? ""],
  ["content_type", (intake) => intake.contentType],
  // Route redacts the headers; earlier versions of route did not.
  ["headers", (intake) => redactedHeaders(intake.headers)],
  ["payload_base64", (intake) => base64(intake.payload)],
  ["payload_bytes", (intake) => intake.payloadBytes],
  ["delivery_ids", (intake) => intake.deliveries.map((d) => d.deliveryId)],
  ["endpoint_ids", (intake) => intake.deliveries.map((d) => d.endpointId)],
  ["filtered_endpoint_ids", (intake) => intake.filteredEndpointIds],
  ["disabled_endpoint_ids", (intake) => intake.disabledEndpointIds],
  ["paused_endpoint_ids", (intake) => intake.pausedEndpointIds],
  ["no_match_count", (intake) => intake.noMatchCount],
  ["part", (intake) => intake.part],
  ["parts", (intake) => intake.parts],
  ["source_topic", (intake) => intake.sourceTopic],
  ["source_partition", (intake) => intake.sourcePartition],
  ["source_offset", (intake) => intake.sourceOffset],
  ["log_partition", (_, raw) => raw.partition],
  ["log_offset", (_, raw) => raw.offset],
];

export const ATTEMPT_COLUMNS: readonly Column<Attempt>[] = [
  ["tenant_id", (attempt) => attempt.tenantId],
  ["endpoint_id", (attempt) => attempt.endpointId],
  ["delivery_id", (attempt) => attempt.deliveryId],
  ["webhook_id", (attempt) => attempt.webhookId],
  ["event_id", (attempt) => attempt.eventId],
  ["event_type", (attempt) => attempt.eventType],
  ["attempt_number", (attempt) => attempt.attemptNumber],
  ["step", (attempt) => attempt.step],
  ["trigger", (attempt) => attempt.trigger],
  ["replay_id", (attempt) => attempt.replayId ?? ""],
  // An attempt that an earlier version or somebody else wrote must not make a partition of `deliveries` in the future. An old
  // time is right: retries go on for days.
  [
    "received_at",
    (attempt) => timeOf(notAfter(attempt.receivedAt, attempt.startedAt)),
  ],
  ["started_at", (attempt) => timeOf(attempt.startedAt)],
  ["queue_ms", (attempt) => attempt.queueMs],
  ["duration_ms", (attempt) => attempt.durationMs],
  ["dns_ms", (attempt) => attempt.dnsMs],
  ["connect_ms", (attempt) => attempt.connectMs],
  ["tls_ms", (attempt) => attempt.tlsMs],
  ["ttfb_ms", (attempt) => attempt.ttfbMs],
  ["is_reused", (attempt) => attempt.isReused],
  ["outcome", (attempt) => attempt.outcome ?? ""],
  ["status_code", (attempt) => attempt.statusCode],
  ["error_code", (attempt) => attempt.errorCode ?? ""],
  ["error", (attempt) => attempt.error ?? ""],
  ["status", (attempt) => attempt.status],
  ["disposition", (attempt) => attempt.disposition],
  ["next_attempt_at", (attempt) => timeOrNull(attempt.nextAttemptAt)],
  ["tier", (attempt) => attempt.tier ?? ""],
  ["deferral_reason", (attempt) => attempt.deferralReason ?? ""],
  ["dead_letter_reason", (attempt) => attempt.deadLetterReason ?? ""],
  ["request_bytes", (attempt) => attempt.requestBytes],
  ["response_bytes", (attempt) => attempt.responseBytes],
  ["response_body_base64", (attempt) => base64(attempt.responseBody)],
  ["response_headers", (attempt) => attempt.responseHeaders],
  ["worker", (attempt) => attempt.worker],
  ["source_topic", (attempt) => attempt.sourceTopic],
  ["source_partition", (attempt) => attempt.sourcePartition],
  ["source_offset", (attempt) => attempt.sourceOffset],
  ["log_partition", (_, raw) => raw.partition],
  ["log_offset", (_, raw) => raw.offset],
];

export const DEAD_LETTER_COLUMNS: readonly Column<DeadLetter>[] = [
  ["tenant_id", (letter) => letter.tenantId ?? ""],
  ["endpoint_id", (letter) => letter.endpointId ?? ""],
  ["dead_at", (letter) => timeOf(letter.deadAt)],
  ["delivery_id", (letter) => letter.deliveryId ?? ""],
  ["event_id", (letter) => letter.eventId ?? ""],
  ["event_type", (letter) => letter.eventType ?? ""],
  [
    "received_at",
    ({ receivedAt, deadAt }) =>
      timeOrNull(receivedAt === null ? null : notAfter(receivedAt, deadAt)),
  ],
  ["reason", (letter) => letter.reason],
  ["detail", (letter) => letter.detail],
  ["field", (letter) => letter.field ?? ""],
  ["rule", (letter) => letter.rule ?? ""],
  ["stage", (letter) => letter.stage],
  ["attempts", (letter) => letter.attempts],
  ["step", (letter) => letter.step],
  ["last_outcome", (letter) => letter.lastOutcome ?? ""],
  ["last_status_code", (letter) => letter.lastStatusCode],
  ["record_topic", (letter) => letter.recordTopic],
  ["record_partition", (letter) => letter.recordPartition],
  ["record_offset", (letter) => letter.recordOffset],
  ["raw_bytes", (letter) => letter.rawBytes],
  ["source_topic", (letter) => letter.sourceTopic],
  ["source_partition", (letter) => letter.sourcePartition],
  ["source_offset", (letter) => letter.sourceOffset],
  ["log_topic", (_, raw) => raw.topic],
  ["log_partition", (_, raw) => raw.partition],
  ["log_offset", (_, raw) => raw.offset],
];

export const EVENTS: Table<Intake> = {
  name: "events",
  columns: EVENT_COLUMNS,
  timeColumn: "received_at",
  deliveriesView: "deliveries_from_events",
};

export const ATTEMPTS: Table<Attempt> = {
  name: "attempts",
  columns: ATTEMPT_COLUMNS,
  timeColumn: "started_at",
  deliveriesView: "deliveries_from_attempts",
};

export const DEAD_LETTERS: Table<DeadLetter> = {
  name: "dead_letters",
  columns: DEAD_LETTER_COLUMNS,
  timeColumn: "dead_at",
  deliveriesView: "deliveries_from_dead_letters",
};

/** The row that a record becomes. */
export function rowOf<T>(
  columns: readonly Column<T>[],
  value: T,
  raw: RawRecord,
): Row {
  return columns.map(([, cellOf]) => cellOf(value, raw));
}

/** Partitions are days of ClickHouse's Date, which ends in 2149; a time after that would wrap around into another day. */
const LATEST = Date.UTC(2100, 0, 1);

/** Epoch milliseconds in the form that ClickHouse reads. A time outside 1970–2100 can only be garbage and becomes the nearer end. */
function timeOf(at: EpochMs): string {
  return new Date(Math.min(Math.max(at, 0), LATEST)).toISOString();
}

function timeOrNull(at: EpochMs | null): string | null {
  return at === null ? null : timeOf(at);
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString(
    "base64",
  );
}
