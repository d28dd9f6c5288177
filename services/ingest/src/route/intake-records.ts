import {
  type Decision,
  type EpochMs,
  type FailedFilter,
  type Intake,
  isContentType,
  type Problem,
  redactedHeaders,
  type RoutedDelivery,
} from "@postrider/core";
import type { OutRecord, RawRecord } from "@postrider/messaging";
import type { RouteInput } from "./read-event.ts";

/** At most this many ids of a kind in one intake record. */
const PART_SIZE = 500;

/** What route decided about one record. */
export interface IntakeDecision {
  readonly decision: Decision;
  /** For people. */
  readonly reason?: string;
  readonly problem?: Problem;
  readonly deliveries?: readonly RoutedDelivery[];
  readonly disabledIds?: readonly string[];
  readonly pausedIds?: readonly string[];
  /** Endpoints whose filter left the event out, those whose filter failed included. */
  readonly filteredIds?: readonly string[];
  readonly failedFilters?: readonly FailedFilter[];
  readonly noMatchCount?: number;
}

/** A record's tenant, event id and type; null where the field is missing or breaks its rule. */
export interface KnownEvent {
  readonly tenantId: string | null;
  readonly eventId: string | null;
  readonly eventType: string | null;
}

export interface IntakeSource {
  readonly raw: RawRecord;
  readonly input: RouteInput;
  readonly known: KnownEvent;
  readonly decidedAt: EpochMs;
  /** A larger payload is left out of the intake record; its size is kept. 0: every payload is. */
  readonly recordedPayloadBytes: number;
}

/**
 * The intake records of one event, in parts of at most 500 ids of each kind. The payload, its size and the count of
 * endpoints that did not match are in the first part only, so that sums over the parts are right.
 */
export function intakeRecords(
  source: IntakeSource,
  decided: IntakeDecision,
): OutRecord[] {
  const {
    deliveries = [],
    disabledIds = [],
    pausedIds = [],
    filteredIds = NONE,
    failedFilters = [],
  } = decided;
  // The failed filters are some of those that left it out.
  const longest = Math.max(
    deliveries.length,
    disabledIds.length,
    pausedIds.length,
    filteredIds.length,
  );
  const all = {
    deliveries,
    disabledIds,
    pausedIds,
    filteredIds,
    failedFilters,
  };
  const parts = Math.max(1, Math.ceil(longest / PART_SIZE));
  const records: OutRecord[] = [];
  for (let part = 0; part < parts; part++) {
    const ids = { ...all, part, parts };
    const value = intakeOf(source, decided, parts === 1 ? ids : cut(ids));
    records.push({ topic: "intake", key: intakeKey(source), value });
  }
  return records;
}

/** The ids of one intake record. */
interface Part {
  readonly deliveries: readonly RoutedDelivery[];
  readonly disabledIds: readonly string[];
  readonly pausedIds: readonly string[];
  readonly filteredIds: readonly string[];
  readonly failedFilters: readonly FailedFilter[];
  readonly part: number;
  readonly parts: number;
}

function cut(all: Part): Part {
  const from = all.part * PART_SIZE;
  const to = from + PART_SIZE;
  return {
    ...all,
    deliveries: all.deliveries.slice(from, to),
    disabledIds: all.disabledIds.slice(from, to),
    pausedIds: all.pausedIds.slice(from, to),
    filteredIds: all.filteredIds.slice(from, to),
    failedFilters: all.failedFilters.slice(from, to),
  };
}

const NO_BYTES = Buffer.alloc(0);
const NO_HEADERS = {};
const NONE: readonly string[] = [];

function intakeOf(
  { raw, input, known, decidedAt, recordedPayloadBytes }: IntakeSource,
  decided: IntakeDecision,
  {
    deliveries,
    disabledIds,
    pausedIds,
    filteredIds,
    failedFilters,
    part,
    parts,
  }: Part,
): Intake {
  const { decision, noMatchCount = 0 } = decided;
  const { reason, problem } = withFailures(decided);
  const event = input.kind === "event" ? input.event : null;
  const payload = event?.payload ?? NO_BYTES;
  const payloadBytes =
    event === null ? (raw.value?.length ?? 0) : payload.length;
  const isFirst = part === 0;
  return {
    tenantId: known.tenantId,
    eventId: known.eventId,
    eventType: known.eventType,
    occurredAt: decision === "invalid" ? null : (event?.occurredAt ?? null),
    receivedAt: raw.timestamp,
    decidedAt,
    decision,
    reason: reason ?? null,
    field: problem?.field ?? null,
    rule: problem?.rule ?? null,
    contentType:
      event !== null && isContentType(event.contentType)
        ? event.contentType
        : "",
    // Redacted, because the row is for people and queries. The receiver gets the real headers.
    headers:
      decision === "invalid" || event === null
        ? NO_HEADERS
        : redactedHeaders(event.headers),
    payload:
      isFirst && payload.length <= recordedPayloadBytes ? payload : NO_BYTES,
    payloadBytes: isFirst ? payloadBytes : 0,
    deliveries,
    filteredEndpointIds: filteredIds,
    failedFilters,
    disabledEndpointIds: disabledIds,
    pausedEndpointIds: pausedIds,
    noMatchCount: isFirst ? noMatchCount : 0,
    part,
    parts,
    sourceTopic: raw.topic,
    sourcePartition: raw.partition,
    sourceOffset: raw.offset,
  };
}

/** So many failed filters are told in words. */
const TOLD = 3;

/** A filter that failed is told also where others got the event, so that it can be found by `rule`. */
function withFailures({
  reason,
  problem,
  failedFilters: failed = [],
}: IntakeDecision): Pick<IntakeDecision, "reason" | "problem"> {
  if (failed.length === 0)
    return { ...(reason && { reason }), ...(problem && { problem }) };
  const told = failed
    .slice(0, TOLD)
    .map((each) => `the filter of ${each.endpointId} failed: ${each.reason}`);
  const more = failed.length - told.length;
  const message = [
    ...(reason ? [reason] : []),
    ...told,
    ...(more > 0 ? [`and ${more} more failed`] : []),
  ].join("; ");
  return {
    reason: message,
    problem: { field: "filter", rule: "filter_failed", message },
  };
}

function intakeKey({ raw, known }: IntakeSource): string | Buffer | null {
  return known.tenantId === null || known.eventId === null
    ? raw.key
    : `${known.tenantId}:${known.eventId}`;
}
